import { posix } from 'node:path';
import { type Import, identifierName, type SourceFile } from './source-file.ts';

/** What a file does that it must not do; nothing where all is well. */
export type Rule = (file: SourceFile) => readonly string[];

/** Where each package may be imported. `node:` modules are for adapters and bootstrap, `node:sqlite` for the store. */
const packagePlaces: Readonly<Record<string, readonly string[]>> = {
  '@bomb.sh/tab': ['src/bootstrap/cli/'],
  '@bufbuild/cel': ['src/adapters/access/'],
  '@google-cloud/pubsub': ['src/adapters/inbound/pubsub/'],
  '@msgpack/msgpack': ['src/adapters/outbound/signalr/'],
  amqplib: ['src/adapters/inbound/amqp/'],
  cloudevents: ['src/adapters/inbound/http/'],
  cockatiel: ['src/adapters/access/', 'src/adapters/identity/'],
  commander: ['src/bootstrap/cli/'],
  'engine.io': ['src/adapters/outbound/socketio/'],
  'fastest-levenshtein': ['src/bootstrap/config/'],
  // Routes are handed over as plugins of the HTTP surface: whoever has routes names its types.
  fastify: ['src/adapters/operations/', 'src/adapters/inbound/', 'src/adapters/identity/', 'src/bootstrap/'],
  inversify: ['src/bootstrap/'],
  jose: ['src/adapters/identity/'],
  'ipaddr.js': ['src/adapters/outbound/webhook/'],
  'lru-cache': ['src/adapters/'],
  nodemailer: ['src/adapters/outbound/email/'],
  pino: ['src/adapters/operations/'],
  'pino-pretty': ['src/adapters/operations/'],
  'prom-client': ['src/adapters/operations/'],
  'reflect-metadata': ['src/bootstrap/'],
  'socket.io': ['src/adapters/outbound/socketio/'],
  'socket.io-adapter': ['src/adapters/outbound/socketio/'],
  'socket.io-client': ['src/bootstrap/cli/'],
  'socket.io-parser': ['src/adapters/outbound/socketio/'],
  standardwebhooks: ['src/adapters/outbound/webhook/'],
  uuid: ['src/adapters/inbound/'],
  ws: ['src/adapters/outbound/'],
  yaml: ['src/bootstrap/config/'],
  zod: ['src/adapters/', 'src/bootstrap/config/'],
};

const isIn = (path: string, folder: string): boolean => path.startsWith(folder);

/** `src/adapters/<name>/`, or `src/adapters/<direction>/<name>/`; nothing for files that adapters share. */
function adapterFolder(path: string): string | undefined {
  const [, , first = '', second = '', ...others] = path.split('/');
  const isDirection = first === 'inbound' || first === 'outbound';
  if (second === '' || (isDirection && others.length === 0)) return undefined;
  return isDirection ? `src/adapters/${first}/${second}/` : `src/adapters/${first}/`;
}

/** Shared by all adapters, or by all endpoints. */
const isShared = (target: string, path: string): boolean =>
  adapterFolder(target) === undefined &&
  (!isIn(target, 'src/adapters/outbound/') || isIn(path, 'src/adapters/outbound/')) &&
  (!isIn(target, 'src/adapters/inbound/') || isIn(path, 'src/adapters/inbound/'));

function mayImportFile(path: string, target: string): boolean {
  if (isIn(target, 'src/domain/')) return true;
  if (isIn(path, 'src/bootstrap/')) return isIn(target, 'src/');
  if (isIn(path, 'src/domain/')) return false;
  if (isIn(target, 'src/application/')) return true;
  if (!isIn(path, 'src/adapters/') || !isIn(target, 'src/adapters/')) return false;
  const own = adapterFolder(path);
  return isShared(target, path) || (own !== undefined && isIn(target, own));
}

/** A port may name what an endpoint is handed by the HTTP listener; the types are Node's, and nothing of them runs. */
const isPortType = (path: string, { specifier, isTypeOnly }: Import): boolean =>
  isTypeOnly && isIn(path, 'src/application/ports/') && /^node:(http|stream)$/.test(specifier);

function mayImportPackage(path: string, imported: Import): boolean {
  const { specifier } = imported;
  if (isPortType(path, imported)) return true;
  if (isIn(path, 'src/domain/') || isIn(path, 'src/application/')) return false;
  if (specifier === 'node:sqlite') return isIn(path, 'src/adapters/store/');
  if (specifier.startsWith('node:')) return specifier !== 'node:process' || isIn(path, 'src/bootstrap/');
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return packagePlaces[name]?.some((place) => isIn(path, place)) ?? false;
}

const namesOf = ({ nodes }: SourceFile): readonly string[] => nodes.flatMap((node) => identifierName(node) ?? []);

const membersOf = ({ nodes }: SourceFile): readonly string[] =>
  nodes
    .filter((node) => node.type === 'MemberExpression' || node.type === 'TSQualifiedName')
    .map(
      (node) =>
        `${identifierName(node['object'] ?? node['left'])}.${identifierName(node['property'] ?? node['right'])}`,
    );

const worldly = new Set([
  'Date',
  'fetch',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);
const isWorldlyMember = (member: string): boolean => /^Math\.random$|^crypto\.|^process\./.test(member);

export const boundaryRules: Readonly<Record<string, Rule>> = {
  'imports point inwards': ({ path, imports }) =>
    imports
      .filter(({ isRelative, target }) => isRelative && !mayImportFile(path, target))
      .map(({ target }) => `imports ${target}`),

  'packages stay in their folders': ({ path, imports }) =>
    imports
      .filter((imported) => !imported.isRelative && !mayImportPackage(path, imported))
      .map(({ specifier }) => `imports ${specifier}`),

  'relative imports name the file': ({ imports }) =>
    imports
      .filter(({ isRelative, specifier }) => isRelative && !/\.(ts|json)$/.test(specifier))
      .map(({ specifier }) => `imports ${specifier}`),

  'only bootstrap knows the process': (file) =>
    isIn(file.path, 'src/bootstrap/') ? [] : membersOf(file).filter((member) => /^process\.|\.process$/.test(member)),

  'the domain waits for nothing and knows no world': (file) => {
    if (!isIn(file.path, 'src/domain/')) return [];
    const waiting = file.nodes.filter((node) => node.type === 'AwaitExpression' || node['async'] === true);
    const names = namesOf(file).filter((name) => worldly.has(name) || name === 'Promise' || name === 'PromiseLike');
    return [...waiting.map(({ type }) => type), ...names, ...membersOf(file).filter(isWorldlyMember)];
  },

  'the application takes time and chance from its ports': (file) =>
    isIn(file.path, 'src/application/')
      ? [...namesOf(file).filter((name) => worldly.has(name)), ...membersOf(file).filter(isWorldlyMember)]
      : [],

  'names say what is in them': ({ path }) => {
    const parts = path.replace(/\.ts$/, '').split('/');
    const vague = parts.filter((part) => /^(index|utils?|helpers?|commons?|types?|misc)$/.test(part));
    return [...vague, ...parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))];
  },
};

/** The first cycle of imports, as its files in order, or nothing. */
export function findCycle(files: readonly SourceFile[]): readonly string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, imports.map(({ target }) => posix.normalize(target))]),
  );
  const done = new Set<string>();

  function visit(path: string, trail: readonly string[]): readonly string[] {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  }

  return files.map(({ path }) => visit(path, [])).find((cycle) => cycle.length > 0) ?? [];
}
