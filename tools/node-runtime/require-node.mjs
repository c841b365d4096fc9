// The development Node comes with `npm ci`; this says so where it is missing, instead of a syntax error later.
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(
    `Edgeward needs Node 24 or newer, this is ${process.versions.node}. Run "npm ci" to bring one along.\n`,
  );
  process.exit(1);
}
