/** The attributes that CloudEvents 1.0.2 itself defines, and the members of its JSON format that hold the data. */
export const contextNames: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
]);
const dataNames: ReadonlySet<string> = new Set(['data', 'data_base64']);

/** Lower-case letters and digits (CloudEvents 1.0.2 section 3.1), and none of the names that mean something else. */
export const isExtensionName = (name: string): boolean =>
  /^[a-z0-9]{1,256}$/.test(name) && !contextNames.has(name) && !dataNames.has(name);
