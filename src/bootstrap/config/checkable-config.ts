import type { AccessSettings } from '../../adapters/settings-fields.ts';
import type { StreamType } from '../../domain/stream-index.ts';
import type { ExchangeSettings } from './build-access.ts';
import type { IsolationSettings, RouteSettings } from './route-settings.ts';

/** What the checks read of a config, whichever adapters it has. */
export type CheckableConfig = {
  readonly listen: { readonly host: string };
  readonly development: { readonly exposed: boolean } | undefined;
  readonly sources: readonly CheckableAdapter[];
  readonly endpoints: readonly CheckableAdapter[];
  readonly identity?: CheckableIdentity | undefined;
  readonly checks?: Readonly<Record<string, CheckableQuestion>> | undefined;
  readonly permissionSources?:
    | Readonly<Record<string, CheckableQuestion & { readonly credential: string }>>
    | undefined;
  readonly routes: readonly RouteSettings[];
  readonly isolation?: IsolationSettings | undefined;
  readonly unroutable: string;
};

export type CheckableAdapter = {
  readonly name: string;
  readonly kind: string;
  readonly settings: Partial<AccessSettings> & {
    readonly path?: string;
    readonly paths?: readonly string[];
    readonly publishTo?: string | undefined;
    readonly bindings?: Readonly<Record<string, StreamType>> | undefined;
    readonly exchanges?: Readonly<Record<string, ExchangeSettings>> | undefined;
    readonly health?: { readonly paths: readonly string[] } | undefined;
    readonly [field: string]: unknown;
  };
};

export type CheckableIdentity = { readonly tokens: Readonly<Record<string, CheckableToken>> };

type CheckableToken = {
  readonly issuers: readonly string[];
  /** From claims, or derived from other variables. */
  readonly variables: Readonly<Record<string, readonly string[] | { readonly sha256: readonly string[] }>>;
  readonly development?: true | undefined;
};

type CheckableQuestion = { readonly url: string; readonly bearer?: string | undefined };
