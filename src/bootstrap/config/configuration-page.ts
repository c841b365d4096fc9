import { accessSettingsSchema } from '../../adapters/settings-fields.ts';
import type { JsonSchema } from './field-shape.ts';
import { inputSchema } from './load-config.ts';
import { fileBytesMax } from './parse-yaml.ts';
import { referencePage } from './reference-page.ts';
import { guards } from './resolve-references.ts';

/** The reference of a config file: `docs/configuration.md`. */
export const configurationPage = (schema: JsonSchema): string =>
  referencePage({
    schema,
    introduction,
    shared: {
      title: 'Access',
      text: 'Who may connect, and which rooms a connection is in; of a source, who may publish. The same everywhere.',
      schema: inputSchema(accessSettingsSchema),
    },
  });

const guardList = [...guards].map((name) => `\`${name}\``).join(', ');

const introduction = `# Configuration

<!-- Generated from the schema in src by "npm run docs"; change it there. -->

One YAML file, read at the start. \`edgeward check FILE\` reads it and says what is wrong with it, all at once: the
place, the line, and the nearest known name. Unknown keys and contradictions between sections are refused. So is a file
of more than ${fileBytesMax / 1024} KiB.

For completion in an editor, begin the file with the address of the JSON Schema beside this page:

\`\`\`yaml
# yaml-language-server: $schema=edgeward.schema.json
\`\`\`

## Values from the environment

\`\${NAME}\` in a value is replaced by the environment variable, \`\${NAME:-default}\` by the default where it is not
set. An empty variable counts as unset. Keys are never replaced, and a value never becomes YAML: quotes, line breaks and
\`#\` in it are its text.

| in the file | becomes |
|---|---|
| \`port: \${PORT:-8080}\` | a number, since the field is one; so with \`true\` and \`false\` |
| \`issuers: \${ISSUERS}\` | a list: comma text, its parts trimmed, empty ones dropped |
| \`roles: \${CLIENT_ROLES}\` | an object by names, from JSON: \`{"till-1": ["reader"]}\` |
| \`url: https://\${HOST}/keys\` | text; HOST must be set |
| \`log: { level: "\${LEVEL}" }\` | the default of the field where LEVEL is not set, since it may be left out |
| \`audiences: \${AUDIENCES}\` | a problem that names AUDIENCES where it is not set, since this field guards something |
| \`audiences: \${AUDIENCES:-}\` | nothing where AUDIENCES is not set, since the reference says so |
| \`isolation: { event: "\${NAME}" }\` | a problem that names NAME where it is not set, since the field is required |
| \`text: "$\${NAME}"\` | the text \`\${NAME}\` |

Guarding fields are ${guardList}. No message ever shows a value that came from the environment.

## Templates, patterns, conditions

A **room template** is text between slashes and variables in braces: \`tenants/{tenant}/users/{user}\`. A value never
leaves its segment (\`/\` and \`%\` in it are encoded); that of \`{name*}\`, at the end, may hold further segments. A
list makes a room for each item. A template of which a variable is absent makes none.

A **pattern** is one of AMQP topic exchanges: words between dots, \`*\` for one word, \`#\` for any number of them.

A **condition** is an expression of [CEL](https://cel.dev). It holds when it is true; one that cannot be evaluated does
not hold, and is counted. It reads:

| name | is there for | what it is |
|---|---|---|
| \`claims\`, \`roles\`, \`permissions\` | access | of the first token |
| NAME of \`identity.tokens\` | access | the token of this kind: the same of it, its \`variables\`, and \`present\` |
| \`variables\` | access | the variables of all tokens together |
| \`query\`, \`connection\` | access of endpoints | what the client gives in its URL; the connection's id |
| \`check\` | access | answers of the \`checks\` that are named beside the condition, such as \`check.membership\` |
| \`event\` | routes, publishing | \`id\`, \`stream\`, \`key\`, \`attributes\`, \`contentType\`, \`source\` |`;
