import type { ErrorCode } from 'yaml';

/** The commonest slip in a file with references, and one that makes a fault of every line behind it. */
export const unquotedReferenceFault = 'within { } and [ ] a reference needs quotes: "${NAME}"';

/** In our words, since the library's own quote the file, and what stands there may be a secret. */
export const yamlFaults: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*name) has no tag or anchor of its own',
  BAD_ALIAS: 'an anchor (&name) or alias (*name) needs a name that does not end in ":"',
  BAD_COLLECTION_TYPE: 'this tag does not fit what follows it; leave the tag away',
  BAD_DIRECTIVE: 'a YAML directive (%) that is not known; leave it away',
  BAD_DQ_ESCAPE: 'there is no such escape in double quotes; use single quotes, or write \\\\ for a backslash',
  BAD_INDENT: 'wrong indentation: what belongs together must begin at the same column',
  BAD_PROP_ORDER: 'an anchor or tag must stand after the "-", "?" or ":"',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key:" on one line; text that holds ": " needs quotes',
  BLOCK_IN_FLOW: 'indented lists and sections cannot stand within [ ] or { }',
  DUPLICATE_KEY: 'the key is given twice',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'the key is too long',
  MISSING_CHAR: 'something is missing here: a closing quote, a comma, or a space after ":"',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a ":" or a closing quote missing?',
  MULTIPLE_ANCHORS: 'a value has one anchor (&name) at most',
  MULTIPLE_DOCS: 'the file holds a second document ("---"); a config is one document',
  MULTIPLE_TAGS: 'a value has one tag at most',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab; indent with spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known; leave it away, or put the text in quotes',
  UNEXPECTED_TOKEN: 'this does not belong here; look for a missing ":", quote or bracket before it',
};
