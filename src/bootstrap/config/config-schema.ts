import { z } from 'zod';
import { listenSettings } from '../../adapters/operations/listen-settings.ts';
import { choiceFields } from '../../adapters/settings-fields.ts';
import {
  deliverySettings,
  developmentSettings,
  drainDeadlineMs,
  limitSettings,
  logSettings,
  unroutable,
} from './core-settings.ts';
import { notificationSettings } from './notification-section.ts';
import { isolationSettings, routeSettings } from './route-settings.ts';

/** The settings of adapters by the name that chooses them in the config. */
export type AdapterSchemas = Readonly<Record<string, z.ZodType>>;

/** The sections that adapters give to the config, each as it stands there: optional, described. */
export type ConfigSections<
  Sources extends AdapterSchemas,
  Endpoints extends AdapterSchemas,
  Identity extends z.ZodType,
  Checks extends z.ZodType,
  PermissionSources extends z.ZodType,
> = {
  readonly sources: Sources;
  readonly endpoints: Endpoints;
  readonly identity: Identity;
  readonly checks: Checks;
  readonly permissionSources: PermissionSources;
};

/** An adapter that the config has chosen, under a name of its own. */
export type ChosenAdapter<Adapters extends AdapterSchemas> = {
  readonly [Kind in keyof Adapters & string]: {
    readonly name: string;
    readonly kind: Kind;
    readonly settings: z.output<Adapters[Kind]>;
  };
}[keyof Adapters & string];

/** The one schema of a config file, put together from a section per adapter. */
export const createConfigSchema = <
  Sources extends AdapterSchemas,
  Endpoints extends AdapterSchemas,
  Identity extends z.ZodType,
  Checks extends z.ZodType,
  PermissionSources extends z.ZodType,
>(
  sections: ConfigSections<Sources, Endpoints, Identity, Checks, PermissionSources>,
) =>
  z.strictObject({
    listen: listenSettings.prefault({}).describe('Where clients and HTTP callers connect.'),
    development: developmentSettings,
    log: logSettings.prefault({}).describe('What is logged, and how.'),
    limits: limitSettings.prefault({}).describe('Limits of the whole process; others stand with what they limit.'),
    drainDeadlineMs,
    sources: z.array(adapterChoice(sections.sources)).min(1).describe('Where events come from.'),
    identity: sections.identity,
    checks: sections.checks,
    permissionSources: sections.permissionSources,
    endpoints: z.array(adapterChoice(sections.endpoints)).min(1).describe('What clients connect to.'),
    routes: z.array(routeSettings).default([]).describe('From events to rooms.'),
    isolation: isolationSettings
      .optional()
      .describe(
        'What keeps tenants apart. No template may cross it; with none, rooms are all there is between clients.',
      ),
    unroutable,
    notifications: notificationSettings
      .optional()
      .describe('People and systems that are told when an event happens: docs/notifications.md.'),
    delivery: deliverySettings.prefault({}).describe('What happens when an event can be delivered nowhere.'),
  });

const adapterName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'must be 1 to 63 letters, digits, "_", "." or "-"');

/** What every item has beside its adapter. */
const itemFields = {
  name: adapterName.optional().describe('How logs, metrics and other sections call it; by default as its adapter.'),
  ...choiceFields,
};

/** One key beside the name chooses the adapter, and its value are the adapter's settings. */
function adapterChoice<Adapters extends AdapterSchemas>(adapters: Adapters): z.ZodType<ChosenAdapter<Adapters>> {
  const kinds = Object.keys(adapters);
  const settings = Object.fromEntries(Object.entries(adapters).map(([kind, schema]) => [kind, schema.optional()]));
  return z
    .strictObject({ ...itemFields, ...settings })
    .superRefine((item, context) => {
      const chosen = chosenKinds(item, kinds);
      if (chosen.length === 1) return;
      const message = `needs exactly one adapter, and has ${chosen.length === 0 ? 'none' : chosen.join(', ')}`;
      context.addIssue({ code: 'custom', message: `${message}; the known ones are ${kinds.join(', ')}` });
    })
    .transform((item) => {
      const [kind = ''] = chosenKinds(item, kinds);
      const chosen: Readonly<Record<string, unknown>> = item;
      // The rule above has made sure of it, which the type of an object made of a list of names cannot say.
      return { name: item.name ?? kind, kind, settings: chosen[kind] } as ChosenAdapter<Adapters>;
    })
    .meta({ oneOf: kinds.map((kind) => ({ required: [kind] })) });
}

const chosenKinds = (item: Readonly<Record<string, unknown>>, kinds: readonly string[]): readonly string[] =>
  kinds.filter((kind) => item[kind] !== undefined);
