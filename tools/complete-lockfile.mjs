// Puts back what npm leaves out of package-lock.json: optional builds for other platforms that the registry at hand does
// not have. Without them `npm ci` of npm 11 calls the lockfile out of sync, and other platforms would lack the build.
// Run it after every `npm install` that changes the lockfile.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** `@scope/binding-linux-x64-musl` says what it is for; npm needs it said in fields. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  if (os.length + cpu.length === 0) throw new Error(`${name} does not say which platform it is for`);
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) };
}

const added = [];
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (parent === '' || parent.startsWith('tools/')) continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const nested = `${parent}/node_modules/${name}`;
    const shared = `node_modules/${name}`;
    if (lock.packages[nested] ?? lock.packages[shared]) continue;
    lock.packages[shared] = { version, ...platformOf(name), ...(dev && { dev }), optional: true };
    added.push(`${name}@${version}`);
  }
}
if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
process.stdout.write(added.length > 0 ? `added ${added.join(', ')}\n` : 'nothing is missing\n');
