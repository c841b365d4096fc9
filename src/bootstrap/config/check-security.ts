import { isLoopbackHost } from '../../adapters/secure-url.ts';
import type { CheckableConfig } from './checkable-config.ts';
import type { Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

type Draft = ConfigDraft<CheckableConfig>;

/** What is insecure and was not asked for by `development`, and `development` where others can reach it. */
export function insecureChoices(draft: Draft): readonly Finding[] {
  return [...exposedDevelopment(draft), ...developmentTokens(draft), ...openSources(draft)];
}

function exposedDevelopment({ development, listen }: Draft): readonly Finding[] {
  if (!development || development.exposed || !listen || isLoopbackHost(listen.host)) return [];
  const message = 'is for loopback, and listen.host is not; where that is meant, say development: { exposed: true }';
  return [{ path: ['development'], message }];
}

function developmentTokens(draft: Draft): readonly Finding[] {
  if (mayBeInsecure(draft)) return [];
  return Object.entries(draft.identity?.tokens ?? {})
    .filter(([, token]) => token.development)
    .map(([name]) => ({
      path: ['identity', 'tokens', name, 'development'],
      message: 'the development issuer exists only with `development: true` at the top of the file',
    }));
}

/** Whoever may publish can send anything to anybody, so who may must be said. */
function openSources(draft: Draft): readonly Finding[] {
  if (mayBeInsecure(draft)) return [];
  return (draft.sources ?? []).flatMap((source, index): readonly Finding[] => {
    const { credentials, require, checks } = source?.settings ?? {};
    if (!source || !credentials) return [];
    const place = ['sources', index, source.kind];
    const instead = 'or say `development: true` on your own machine';
    if (credentials.length === 0) {
      const message = `without credentials everybody could publish; name some, ${instead}`;
      return [{ path: [...place, 'credentials'], message }];
    }
    if (require !== undefined || checks?.length !== 0) return [];
    const message = `without a condition every token could publish anything; name one, ${instead}`;
    return [{ path: [...place, 'require'], message }];
  });
}

/** Also where `development` is wrong by itself: what it was meant to say is not known. */
const mayBeInsecure = (draft: Draft): boolean =>
  draft.development !== undefined || !Object.hasOwn(draft, 'development');
