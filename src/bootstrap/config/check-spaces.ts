import { type EngineSettings, sharedEngineFields } from '../../adapters/outbound/socketio/engine-settings.ts';
import type { SpacesSettings } from '../../adapters/outbound/socketio/spaces-settings.ts';
import { Event } from '../../domain/event.ts';
import type { EventRouting } from '../../domain/ports/event-routing.ts';
import { expand } from '../../domain/room-template.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { roomTemplate } from './build-routing.ts';
import type { CheckableAdapter, CheckableConfig } from './checkable-config.ts';
import type { Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

type Draft = ConfigDraft<CheckableConfig>;

/** The settings of an endpoint for spaces; nothing of any other. */
export const spacesOf = (endpoint: CheckableAdapter | undefined): SpacesSettings | undefined =>
  endpoint?.kind === 'spaces' ? (endpoint.settings as unknown as SpacesSettings) : undefined;

/** Endpoints that share an engine and differ about it; places of tokens that nobody fills; messages that never come back. */
export function spacesMistakes(draft: Draft, routing: Verdict<EventRouting, unknown>): readonly Finding[] {
  return [
    ...engineDifferences(draft),
    ...typedTokens(draft),
    ...(routing.ok ? lostMessages(draft, routing.value) : []),
  ];
}

function engineDifferences({ endpoints = [] }: Draft): readonly Finding[] {
  const first = new Map<string, { readonly index: number; readonly settings: EngineSettings }>();
  return endpoints.flatMap((endpoint, index): readonly Finding[] => {
    if (endpoint?.kind !== 'socketio' && endpoint?.kind !== 'spaces') return [];
    const settings = endpoint.settings as unknown as EngineSettings;
    const path = settings.path.replace(/\/$/, '');
    const other = first.get(path);
    if (!other) {
      first.set(path, { index, settings });
      return [];
    }
    return sharedEngineFields
      .filter((field) => JSON.stringify(settings[field]) !== JSON.stringify(other.settings[field]))
      .map((field) => ({
        path: ['endpoints', index, endpoint.kind, field],
        message: `is not what endpoints[${other.index}] says, which has the same path and so the same engine`,
      }));
  });
}

function typedTokens({ endpoints = [], sources = [] }: Draft): readonly Finding[] {
  const places = (section: 'endpoints' | 'sources', adapters: readonly (CheckableAdapter | undefined)[]) =>
    adapters.flatMap((adapter, index) =>
      adapter === undefined || adapter.kind === 'spaces'
        ? []
        : (adapter.settings.credentials ?? []).flatMap(({ from }, position): readonly Finding[] => {
            if (![from].flat().some((place) => place.startsWith('token.'))) return [];
            const path = [section, index, adapter.kind, 'credentials', position, 'from'];
            return [{ path, message: 'is for clients that say the type of their token, as those of spaces do' }];
          }),
    );
  return [...places('endpoints', endpoints), ...places('sources', sources)];
}

/** With the order of the broker a message that no route leads back reaches nobody, its sender included. */
function lostMessages({ endpoints = [] }: Draft, routing: EventRouting): readonly Finding[] {
  return endpoints.flatMap((endpoint, index): readonly Finding[] => {
    const settings = spacesOf(endpoint);
    if (settings?.order !== 'broker') return [];
    const { stream, to } = settings.publish;
    const decision = routing.decide(sampleOf(stream, to));
    const [room] = expand(roomTemplate(settings.space), new Map([['space', sampleSpace]]), 1);
    if (decision.kind === 'routed' && decision.rooms.some((each) => each === room)) return [];
    const message = `no route leads events of the stream "${stream}" to "${settings.space}", with the key as {space}`;
    return [{ path: ['endpoints', index, 'spaces', 'publish', 'stream'], message }];
  });
}

/** With what would end a word of a key. */
const sampleSpace = 'a.sample';

const sampleOf = (stream: string, source: string): Event =>
  new Event({
    id: 'sample',
    stream,
    key: sampleSpace,
    attributes: new Map([['Spaces-Event', 'MESSAGE_SENT']]),
    payload: new Uint8Array(),
    publishedAt: 0,
    origin: { source, properties: {} },
  });
