/** How a command ended, for scripts. `docs/command-line.md` has this table. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'Something failed that no other code stands for.' },
  usage: { code: 2, meaning: 'The command line is wrong: an unknown command or option, or a malformed value.' },
  config: { code: 3, meaning: 'The config file has problems, or cannot be read.' },
  unreachable: {
    code: 4,
    meaning:
      'The gateway, or (`topology`) a broker, cannot be reached, or (`start`) cannot listen: port in use, not permitted, ' +
      'no such address.',
  },
  refused: {
    code: 5,
    meaning:
      'The gateway, or (`topology`) a broker, refused: the token, the credentials, a permission, or what was sent.',
  },
  tryLater: { code: 6, meaning: 'The gateway can take nothing at the moment. The same may work later.' },
  differs: {
    code: 7,
    meaning:
      '`topology apply`: something is not as the config needs it, and is for you to change or to make. What there is to ' +
      'do was printed.',
  },
  interrupted: {
    code: 130,
    meaning: 'Ended by Ctrl-C or another signal. `start` drains at the first one and then ends with 0.',
  },
} as const;

export type ExitName = keyof typeof exitCodes;
export type ExitCode = (typeof exitCodes)[ExitName]['code'];
