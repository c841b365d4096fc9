import { describe, expect, test } from 'vitest';
import { fakeCommandIo } from '../../support/fake-command-io.ts';

describe('a wrong command line says what is wrong, and ends with 2', () => {
  test.each([
    [['strat'], /unknown command 'strat'\n\(Did you mean start\?\)/],
    [['tail', '--cuont', '3'], /unknown option '--cuont'\n\(Did you mean --count\?\)/],
    [['publish', 'greetings'], /missing required argument 'data'/],
    [['publish', 'greetings', 'hello', 'world'], /too many arguments for 'publish'/],
    [['publish', '', 'hello'], /must not be empty/],
    [['publish', 's', 'd', '--attribute', 'x'], /--attribute <name=value>' argument 'x' is invalid\. Write NAME=VALUE/],
    [['publish', 's', 'd', '-a', '=x'], /Write NAME=VALUE/],
    [['publish', 's', 'd', '-a', 'x=1', '-a', 'x=2'], /"x" is given twice/],
    [['tail', '--count', '0'], /must be a whole number from 1/],
    [['tail', '--count', '1e3'], /must be a whole number from 1/],
    [['tail', '--topics', 'a,,b'], /must not be empty/],
    [['tail', '--token', ''], /must not be empty/],
    [['tail', '--url', 'ftp://host'], /must be a URL such as http:\/\/127\.0\.0\.1:8080/],
    [['tail', '--url', 'host:8080'], /must be a URL/],
    [['tail', '--url', 'http://host/?a=b'], /must end before any "\?"/],
    [['token', '--claim', 'exp=1'], /"exp" is set when the token is signed; "token --expires-in" says until when\./],
    [['tail', '--claim', 'iat=1'], /"iat" is set when the token is signed/],
    [['token', '--claim', 'a=b'], /What follows "a=" must be JSON; text stands in quotes: 'a="text"'/],
    [['check'], /missing required argument 'file'/],
    [['topology'], /Usage: edgeward topology/],
    [['topology', 'aply', 'a.yaml'], /unknown command 'aply'\n\(Did you mean apply\?\)/],
    [['topology', 'apply'], /missing required argument 'file'/],
    [['topology', 'apply', 'a.yaml', 'b.yaml'], /too many arguments for 'apply'/],
    [['topology', 'apply', 'a.yaml', '--dryrun'], /unknown option '--dryrun'\n\(Did you mean --dry-run\?\)/],
    [['topology', 'apply', 'a.yaml', '--push-url', 'events.test'], /must be a URL/],
    [['topology', 'apply', 'a.yaml', '--push-account', ''], /must not be empty/],
    [[], /Usage: edgeward/],
  ])('%j', async (args, message) => {
    const cli = fakeCommandIo();
    expect(await cli.run(...args)).toBe(2);
    expect(cli.stderr()).toMatch(message);
    expect(cli.stdout()).toBe('');
  });

  test('what was typed is quoted without its secrets', async () => {
    const cli = fakeCommandIo();
    expect(await cli.run('tail', '--tokne=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln')).toBe(2);
    expect(cli.stderr()).toContain('--tokne=***');
    const withPassword = fakeCommandIo();
    expect(await withPassword.run('tail', '--url', 'http://user:hunter2@host')).toBe(2);
    expect(withPassword.stderr()).toMatch(/must hold no user or password/);
    expect(withPassword.stderr()).not.toContain('hunter2');
  });
});

describe('help and version', () => {
  test.each([['start'], ['check'], ['topology apply'], ['tail'], ['publish'], ['token']])(
    '%s --help has examples',
    async (command) => {
      const cli = fakeCommandIo();
      expect(await cli.run(...command.split(' '), '--help')).toBe(0);
      expect(cli.stdout()).toMatch(
        new RegExp(`Usage: edgeward ${command} [\\s\\S]*Examples:\n  .*edgeward ${command}`),
      );
      expect(cli.stdout()).toMatch(/\n$/);
    },
  );

  test('--help lists every command', async () => {
    const cli = fakeCommandIo();
    expect(await cli.run('--help')).toBe(0);
    for (const command of ['start', 'check', 'topology', 'tail', 'publish', 'token', 'complete']) {
      expect(cli.stdout()).toContain(`\n  ${command} `);
    }
  });

  test('--version', async () => {
    const cli = fakeCommandIo();
    expect(await cli.run('--version')).toBe(0);
    expect(cli.stdout()).toBe('1.2.3\n');
  });
});

describe('what others do', () => {
  test('start and check are handed their file, and their exit code is the end', async () => {
    const cli = fakeCommandIo();
    expect(await cli.run('start')).toBe(0);
    expect(await cli.run('start', 'a.yaml')).toBe(0);
    expect(await cli.run('check', 'b.yaml')).toBe(3);
    expect(cli.stdout()).toBe('start undefinedstart a.yamlcheck b.yaml');
  });

  test('a command that throws ends with 1, and says why without secrets', async () => {
    const cli = fakeCommandIo({ readStdin: () => Promise.reject(new Error('no token=hunter2 here')) });
    expect(await cli.run('publish', 'greetings', '-')).toBe(1);
    expect(cli.stderr()).toBe('edgeward: no token=*** here\n');
  });
});
