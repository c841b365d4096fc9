import { cp, mkdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Copy, DockerfileParser, From, type Instruction, PropertyInstruction } from 'dockerfile-ast';

/** What an engine would have after the instructions of a stage: files below `root`, and what it knows of them. */
export type Stage = {
  /** The image from outside that it is built on, at last. */
  readonly image: string;
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  readonly labels: Record<string, string>;
  /** Of the other instructions that a stage has once: what stands behind the keyword. */
  readonly settings: Map<string, string>;
};

export type StageFolders = {
  /** Files that the engine is sent. */
  readonly context: string;
  /** Where stages are made. */
  readonly stages: string;
};

/** Runs a command of the shell in a stage. */
export type RunInStage = (command: string, stage: Stage) => Promise<void>;

/**
 * Does what an engine does with a Dockerfile, instruction by instruction, in folders of this machine. Whatever it does
 * not know makes it fail, so that nothing is passed over. What is copied from a stage can be copied once. Resolves with
 * the last stage.
 */
export async function runDockerfile(text: string, folders: StageFolders, run: RunInStage): Promise<Stage> {
  const named = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction instanceof From) {
      stage = await beginStage(instruction, named, join(folders.stages, `${named.size}`));
      named.set(instruction.getBuildStage() ?? `stage ${named.size}`, stage);
    } else if (stage === undefined) {
      throw new Error(`${instruction.toString()} stands before the first FROM`);
    } else if (instruction instanceof Copy) {
      await copy(instruction, stage, copiedFrom(instruction, named)?.root ?? folders.context);
    } else if (instruction.getKeyword() === 'RUN') {
      await run(instruction.getArgumentsContent() ?? '', stage);
    } else {
      await set(instruction, stage);
    }
  }
  if (stage === undefined) throw new Error('there is no FROM');
  return stage;
}

async function beginStage(from: From, named: ReadonlyMap<string, Stage>, root: string): Promise<Stage> {
  const image = from.getImage() ?? '';
  const base = named.get(image);
  await mkdir(root, { recursive: true });
  if (base) await cp(base.root, root, { recursive: true, verbatimSymlinks: true });
  return {
    image: base?.image ?? image,
    root,
    workdir: base?.workdir ?? '/',
    env: { ...base?.env },
    labels: { ...base?.labels },
    settings: new Map(base?.settings),
  };
}

function copiedFrom(instruction: Copy, named: ReadonlyMap<string, Stage>): Stage | undefined {
  const name = instruction.getFromFlag()?.getValue();
  if (name === undefined || name === null) return undefined;
  const stage = named.get(name);
  if (stage === undefined) throw new Error(`${instruction.toString()}: there is no such stage`);
  return stage;
}

/** As COPY does: of a folder its content, of a file itself, into a folder where the target says so with its slash. */
async function copy(instruction: Copy, stage: Stage, from: string): Promise<void> {
  const paths = instruction.getExpandedArguments().map((argument) => argument.getValue());
  const target = paths.at(-1) ?? '';
  const sources = paths.slice(0, -1);
  if (sources.length > 1 && !target.endsWith('/'))
    throw new Error(`${instruction.toString()}: needs a folder as target`);
  for (const source of sources) {
    const path = join(from, source);
    const isFolder = (await stat(path)).isDirectory();
    const into = isFolder || !target.endsWith('/') ? target : join(target, basename(source));
    const place = join(stage.root, inStage(stage, into));
    await mkdir(dirname(place), { recursive: true });
    // A stage that is copied from is done. Thousands of files are moved in no time, and copied in seconds.
    if (instruction.getFromFlag()) await rename(path, place);
    else await cp(path, place, { recursive: true, verbatimSymlinks: true });
  }
}

const inStage = ({ workdir }: Stage, path: string): string => (path.startsWith('/') ? path : join(workdir, path));

const settingKeywords = new Set(['USER', 'EXPOSE', 'HEALTHCHECK', 'STOPSIGNAL', 'ENTRYPOINT', 'CMD']);

async function set(instruction: Instruction, stage: Stage): Promise<void> {
  const keyword = instruction.getKeyword();
  const content = instruction.getArgumentsContent() ?? '';
  if (instruction instanceof PropertyInstruction && (keyword === 'ENV' || keyword === 'LABEL')) {
    const target = keyword === 'ENV' ? stage.env : stage.labels;
    for (const property of instruction.getProperties()) target[property.getName()] = property.getValue() ?? '';
  } else if (keyword === 'WORKDIR') {
    stage.workdir = inStage(stage, content);
    await mkdir(join(stage.root, stage.workdir), { recursive: true });
  } else if (settingKeywords.has(keyword)) {
    stage.settings.set(keyword, content);
  } else {
    throw new Error(`${keyword} is not known here`);
  }
}
