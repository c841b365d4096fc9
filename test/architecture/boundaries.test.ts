import { describe, expect, test } from 'vitest';
import { boundaryRules, findCycle } from './boundary-rules.ts';
import { parseSource, readSources } from './source-file.ts';

const files = readSources('src/**/*.ts');
const imports = files.flatMap((file) => file.imports);

/** Too few of either would mean that nothing was looked at. */
test('all files of src were read, with their imports', () => {
  expect(files.length).toBeGreaterThan(90);
  expect(imports.length).toBeGreaterThan(300);
  for (const folder of ['domain', 'domain/ports', 'application', 'adapters', 'bootstrap']) {
    expect(
      files.some(({ path }) => path.startsWith(`src/${folder}/`)),
      folder,
    ).toBe(true);
  }
});

test('every relative import leads to a file that was read', () => {
  const paths = new Set(files.map(({ path }) => path));
  const lost = files.flatMap(({ path, imports: own }) =>
    own
      .filter(({ isRelative, target }) => isRelative && target.endsWith('.ts') && !paths.has(target))
      .map(({ target }) => `${path} imports ${target}`),
  );
  expect(lost).toEqual([]);
});

test.each(Object.entries(boundaryRules))('%s', (_name, rule) => {
  expect(files.flatMap((file) => rule(file).map((violation) => `${file.path}: ${violation}`))).toEqual([]);
});

test('imports go round in no circle, types included', () => {
  expect(findCycle(files)).toEqual([]);
});

describe('each rule is seen to fail', () => {
  test.each([
    ['imports point inwards', 'src/domain/x.ts', "import { Fault } from '../application/fault.ts';"],
    ['imports point inwards', 'src/domain/ports/x.ts', "import type { Fault } from '../../application/fault.ts';"],
    ['imports point inwards', 'src/domain/x.ts', "export { Fault } from '../application/fault.ts';"],
    ['imports point inwards', 'src/domain/x.ts', "export * from '../adapters/system-clock.ts';"],
    ['imports point inwards', 'src/domain/x.ts', "type A = import('../application/fault.ts').Fault;"],
    ['imports point inwards', 'src/domain/x.ts', "const a = () => import('../application/fault.ts');"],
    ['imports point inwards', 'src/domain/x.ts', "import '../../test/support/eventually.ts';"],
    ['imports point inwards', 'src/application/x.ts', "import { systemClock } from '../adapters/system-clock.ts';"],
    ['imports point inwards', 'src/application/ports/x.ts', "import type { C } from '../../bootstrap/container.ts';"],
    ['imports point inwards', 'src/adapters/access/x.ts', "import { a } from '../identity/remote-keys.ts';"],
    ['imports point inwards', 'src/adapters/inbound/http/x.ts', "import { a } from '../memory/memory-source.ts';"],
    ['imports point inwards', 'src/adapters/inbound/http/x.ts', "import { a } from '../../outbound/send-queue.ts';"],
    [
      'imports point inwards',
      'src/adapters/outbound/send-queue.ts',
      "import { a } from './socketio/socketio-message.ts';",
    ],
    ['imports point inwards', 'src/adapters/x.ts', "import { a } from './identity/remote-keys.ts';"],
    ['imports point inwards', 'src/adapters/x.ts', "import { a } from './outbound/send-queue.ts';"],
    ['imports point inwards', 'src/adapters/access/x.ts', "import { a } from '../../bootstrap/container.ts';"],
    ['imports point inwards', 'src/bootstrap/x.ts', "import { a } from '../../test/support/eventually.ts';"],
    ['packages stay in their folders', 'src/domain/x.ts', "import { z } from 'zod';"],
    ['packages stay in their folders', 'src/domain/x.ts', "import { Buffer } from 'node:buffer';"],
    ['packages stay in their folders', 'src/application/x.ts', "import { setTimeout } from 'node:timers/promises';"],
    ['packages stay in their folders', 'src/application/x.ts', "import type { Server } from 'socket.io';"],
    ['packages stay in their folders', 'src/application/x.ts', "import type { Server } from 'node:http';"],
    ['packages stay in their folders', 'src/application/ports/x.ts', "import { Server } from 'node:http';"],
    ['packages stay in their folders', 'src/application/ports/x.ts', "import type { Socket } from 'node:net';"],
    ['packages stay in their folders', 'src/adapters/access/x.ts', "import { jwtVerify } from 'jose';"],
    ['packages stay in their folders', 'src/adapters/access/x.ts', "import { key } from 'jose/key/import';"],
    ['packages stay in their folders', 'src/adapters/identity/x.ts', "import { Container } from 'inversify';"],
    ['packages stay in their folders', 'src/adapters/identity/x.ts', "import 'reflect-metadata';"],
    ['packages stay in their folders', 'src/adapters/inbound/http/x.ts', "import type { Server } from 'socket.io';"],
    ['packages stay in their folders', 'src/adapters/operations/x.ts', "const a = require('ws');"],
    ['packages stay in their folders', 'src/bootstrap/x.ts', "import { a } from 'left-pad';"],
    ['packages stay in their folders', 'src/bootstrap/x.ts', "import { a } from '@scope/unknown/deep';"],
    ['packages stay in their folders', 'src/bootstrap/x.ts', "import { a } from '#domain/event.ts';"],
    ['packages stay in their folders', 'src/adapters/access/x.ts', "import { env } from 'node:process';"],
    ['packages stay in their folders', 'src/adapters/access/x.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['relative imports name the file', 'src/domain/x.ts', "import { a } from './event';"],
    ['relative imports name the file', 'src/domain/x.ts', "import { a } from './event.js';"],
    ['relative imports name the file', 'src/domain/x.ts', "import { a } from '.';"],
    ['only bootstrap knows the process', 'src/adapters/access/x.ts', 'const a = process.env;'],
    ['only bootstrap knows the process', 'src/adapters/access/x.ts', 'globalThis.process.exit(1);'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = async () => 1;'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'async function a() {}'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = { async b() {} };'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'type A = Promise<void>;'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'await a();'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = Date.now();'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = new Date();'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = Math.random();'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'setTimeout(a, 1);'],
    ['the domain waits for nothing and knows no world', 'src/domain/x.ts', 'const a = crypto.randomUUID();'],
    ['the application takes time and chance from its ports', 'src/application/x.ts', 'const a = Date.now();'],
    ['the application takes time and chance from its ports', 'src/application/x.ts', 'const a = Math.random();'],
    ['the application takes time and chance from its ports', 'src/application/x.ts', 'setTimeout(a, 1);'],
    ['names say what is in them', 'src/domain/index.ts', ''],
    ['names say what is in them', 'src/domain/utils/x.ts', ''],
    ['names say what is in them', 'src/adapters/http-helpers/helpers.ts', ''],
    ['names say what is in them', 'src/adapters/common.ts', ''],
    ['names say what is in them', 'src/domain/types.ts', ''],
    ['names say what is in them', 'src/domain/roomName.ts', ''],
    ['names say what is in them', 'src/Domain/x.ts', ''],
    ['names say what is in them', 'src/domain/room_name.ts', ''],
  ])('%s: %s with %s', (name, path, text) => {
    expect(boundaryRules[name]?.(parseSource(path, text))).toHaveLength(1);
  });

  test.each([
    ['src/domain/ports/x.ts', "import type { Event } from '../event.ts';"],
    [
      'src/application/x.ts',
      "import type { Clock } from './ports/clock.ts'; import { Event } from '../domain/event.ts';",
    ],
    ['src/application/ports/x.ts', "import type { IncomingMessage } from 'node:http';"],
    ['src/adapters/access/x.ts', "import { a } from './y.ts'; import { z } from 'zod'; import '../secure-url.ts';"],
    ['src/adapters/outbound/socketio/x.ts', "import { a } from '../send-queue.ts'; import 'socket.io';"],
    ['src/adapters/inbound/http/x.ts', "import type { Server } from 'node:http'; import '../../settings-fields.ts';"],
    ['src/adapters/x.ts', "import { a } from '../application/fault.ts'; import './settings-fields.ts';"],
    ['src/bootstrap/x.ts', "import 'inversify'; import '../adapters/identity/remote-keys.ts'; process.exit();"],
    ['src/domain/x.ts', "const a = 'import x from \"zod\"'; // import { y } from 'zod'; process.exit()"],
  ])('what is right passes: %s with %s', (path, text) => {
    const file = parseSource(path, text);
    expect(Object.values(boundaryRules).flatMap((rule) => rule(file))).toEqual([]);
  });

  test('a circle of imports', () => {
    const circle = [
      parseSource('src/domain/a.ts', "import { b } from './b.ts';"),
      parseSource('src/domain/b.ts', "import type { C } from './ports/c.ts'; import './d.ts';"),
      parseSource('src/domain/d.ts', ''),
      parseSource('src/domain/ports/c.ts', "export type { B } from '../b.ts';"),
    ];
    expect(findCycle(circle)).toEqual(['src/domain/b.ts', 'src/domain/ports/c.ts', 'src/domain/b.ts']);
    expect(findCycle(circle.slice(0, 3))).toEqual([]);
  });
});
