/** A place in the config: keys and list positions from the top; none for the file itself. */
export type ConfigPath = readonly (string | number)[];

/** A place in the file; lines and columns count from 1. */
export type Position = { readonly line: number; readonly column: number };

/** What is wrong with a config, before it is located in the file. Holds no secret and no value of the environment. */
export type Finding = {
  readonly path: ConfigPath;
  readonly message: string;
  /** The message without what the config has here, for a value of the environment; where there is another way to say it. */
  readonly withoutValue?: string | undefined;
  /** The nearest known name. */
  readonly suggestion?: string | undefined;
  /** Where it stands, when that is not the value at the path: its key, or a place of its own. */
  readonly at?: 'key' | Position | undefined;
};

/** What is wrong with a config file, and where. */
export type Problem = Position & {
  /** Such as `endpoints[0].socketio.require`; `''` for the file itself. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string | undefined;
};

/** `endpoints[0].socketio.require`; keys that are not plain words stand in brackets and quotes. */
export function pathText(path: ConfigPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The way back from `rooms[1].templates[0]`, for places whose keys are plain words. */
export const partPath = (text: string): ConfigPath =>
  (text.match(/[\w-]+/g) ?? []).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
