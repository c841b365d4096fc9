import { roomSegment } from './room.ts';
import type { RoomTemplate } from './room-template.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

/**
 * A shape of rooms that belong to one tenant: literals, `{name}` for any segment, `{}` for the tenant's own.
 * `topics/{topic}/tenants/{}` covers `topics/a/tenants/42` and everything below it.
 */
export type RoomShape = { readonly text: string; readonly segments: readonly ShapeSegment[] };
type ShapeSegment = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'any' | 'tenant' };

/** Which variable is the tenant of an event and of a connection, and in which rooms a tenant's name stands. */
export type Isolation = {
  readonly eventVariable: string;
  readonly connectionVariable: string;
  readonly shapes: readonly RoomShape[];
};

export function parseRoomShape(text: string): Verdict<RoomShape> {
  const segments: ShapeSegment[] = [];
  for (const part of text.split('/')) {
    if (part === '') return refused(`"${text}" has an empty segment`);
    if (part === '{}') segments.push({ kind: 'tenant' });
    else if (/^\{[^{}*]+\}$/.test(part)) segments.push({ kind: 'any' });
    else if (/[{}]/.test(part)) return refused(`segment "${part}" of "${text}" must be plain text, {name} or {}`);
    else segments.push({ kind: 'literal', text: part });
  }
  const tenants = segments.filter((segment) => segment.kind === 'tenant').length;
  if (tenants !== 1) return refused(`"${text}" must name the tenant's segment {} exactly once`);
  return allowed({ text, segments });
}

/**
 * Whether a template keeps tenants apart. `tenant`: every room it makes carries the tenant in the right place;
 * `common`: no room it makes can be a tenant's. Refused: some value could make it name another tenant's room.
 */
export function coverage(
  template: RoomTemplate,
  tenantVariable: string,
  shapes: readonly RoomShape[],
): Verdict<'tenant' | 'common'> {
  let covered = false;
  for (const shape of shapes) {
    const meeting = meet(template, tenantVariable, shape);
    if (meeting === 'crosses') {
      return refused(
        `"${template.text}" could name another tenant's room: rooms of the shape "${shape.text}" ` +
          `must have {${tenantVariable}} where {} stands and the same plain text elsewhere`,
      );
    }
    covered ||= meeting === 'carries';
  }
  return allowed(covered ? 'tenant' : 'common');
}

function meet(template: RoomTemplate, tenantVariable: string, shape: RoomShape): 'apart' | 'carries' | 'crosses' {
  let crosses = false;
  for (const [index, expected] of shape.segments.entries()) {
    const segment = template.segments[index];
    if (segment === undefined) return 'apart';
    // What follows a {name*} is the value's to choose, so it could be anything.
    if (segment.kind === 'rest') return 'crosses';
    if (expected.kind === 'tenant') crosses ||= segment.kind === 'literal' || segment.name !== tenantVariable;
    if (expected.kind !== 'literal') continue;
    if (segment.kind === 'literal' && segment.text !== expected.text) return 'apart';
    crosses ||= segment.kind === 'variable';
  }
  return crosses ? 'crosses' : 'carries';
}

/** The tenants whose room this is, as the segments spell them; none for a common room. */
export function tenantsOfRoom(room: string, shapes: readonly RoomShape[]): readonly string[] {
  const tenants: string[] = [];
  for (const shape of shapes) {
    const tenant = tenantOfRoom(room, shape);
    if (tenant !== undefined) tenants.push(tenant);
  }
  return tenants;
}

/** Every event's rooms come by here, so the text is walked through and not taken apart. */
function tenantOfRoom(room: string, { segments }: RoomShape): string | undefined {
  let tenant: string | undefined;
  let begin = 0;
  for (const expected of segments) {
    if (begin > room.length) return undefined;
    const slash = room.indexOf('/', begin);
    const end = slash === -1 ? room.length : slash;
    if (expected.kind === 'literal') {
      if (end - begin !== expected.text.length || !room.startsWith(expected.text, begin)) return undefined;
    } else if (expected.kind === 'tenant') {
      tenant = room.slice(begin, end);
    }
    begin = end + 1;
  }
  return tenant;
}

/** True when the room is the one tenant's, or, where there is no tenant, nobody's. Several tenants share no room. */
export function isRoomOf(room: string, tenants: ReadonlySet<string>, shapes: readonly RoomShape[]): boolean {
  const [tenant, ...others] = tenants;
  if (others.length > 0) return false;
  const spelled = tenantsOfRoom(room, shapes);
  if (tenant === undefined) return spelled.length === 0;
  const segment = roomSegment(tenant);
  return spelled.length > 0 && spelled.every((each) => each === segment);
}
