import { describe, expect, test } from 'vitest';
import type { Intake } from '../../../src/adapters/inbound/http/event-fields.ts';
import { readItem } from '../../../src/adapters/inbound/http/http-event.ts';
import { type HttpSettings, httpSettings } from '../../../src/adapters/inbound/http/http-settings.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';

const now = Date.UTC(2026, 0, 31, 12);
const intake = (settings: Partial<HttpSettings> = {}): Intake => ({
  source: 'http',
  settings: { ...httpSettings.parse({}), ...settings },
  now,
  newId: () => 'new-id',
});

/** As if `data` had been sent without a space. */
function read(given: unknown, settings: Partial<HttpSettings> = {}) {
  const data: unknown = Object(given)['data'];
  return readItem(given, data === undefined ? undefined : JSON.stringify(data), intake(settings));
}

const errorsOf = (given: unknown, settings?: Partial<HttpSettings>): readonly string[] =>
  refusalReason(read(given, settings)).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('an item becomes an event', () => {
  test('with everything given', () => {
    const event = allowedValue(
      read({
        stream: 'orders.v1',
        key: 'tenant.T1',
        id: 'e1',
        publishedAt: '2026-01-31T13:00:00.5+02:00',
        attributes: { 'Tenant-Id': 'T1', n: 1.5, yes: true, empty: '' },
        data: { a: 1 },
      }),
    );
    expect(event).toMatchObject({ stream: 'orders.v1', key: 'tenant.T1', id: 'e1', contentType: 'application/json' });
    expect(event.publishedAt).toBe(Date.UTC(2026, 0, 31, 11, 0, 0, 500));
    expect([...event.attributes]).toEqual([
      ['Tenant-Id', 'T1'],
      ['n', '1.5'],
      ['yes', 'true'],
      ['empty', ''],
    ]);
    expect(event.jsonText()).toBe('{"a":1}');
    expect(event.origin).toEqual({ source: 'http', properties: {} });
  });

  test('with as little as there may be', () => {
    const event = allowedValue(read({ stream: 's', data: null }));
    expect(event).toMatchObject({ key: '', id: 'new-id', publishedAt: now });
    expect(event.attributes.size).toBe(0);
    expect(event.jsonText()).toBe('null');
  });

  test.each(['0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])(
    'of the first or last time that has four digits of a year (%s)',
    (publishedAt) => {
      const event = allowedValue(read({ stream: 's', data: 1, publishedAt }));
      expect(new Date(event.publishedAt).toISOString()).toBe(publishedAt);
    },
  );

  test('whose data is the text that was sent', () => {
    const event = allowedValue(readItem({ stream: 's', data: 1 }, '1.00', intake()));
    expect(event.jsonText()).toBe('1.00');
  });

  test('with bytes, of any type or none', () => {
    const dataBase64 = Buffer.from([0, 255, 254]).toString('base64');
    const typed = allowedValue(read({ stream: 's', dataBase64, contentType: 'image/png' }));
    expect([...typed.payload]).toEqual([0, 255, 254]);
    expect(typed.contentType).toBe('image/png');
    expect(allowedValue(read({ stream: 's', dataBase64 })).contentType).toBeUndefined();
    expect(allowedValue(read({ stream: 's', dataBase64: '' })).payload).toHaveLength(0);
  });

  test('with data of a JSON type of its own', () => {
    const event = allowedValue(
      read({ stream: 's', data: {}, contentType: 'application/vnd.order+json; charset=utf-8' }),
    );
    expect(event.contentType).toBe('application/vnd.order+json; charset=utf-8');
  });

  test('with attributes of any name', () => {
    const names = ['__proto__', 'constructor', 'Größe', 'a.b', ' ', 'x'.repeat(256)];
    const attributes = JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:"v"`).join()}}`);
    expect([...allowedValue(read({ stream: 's', data: 1, attributes })).attributes.keys()]).toEqual(names);
    expect(Object.prototype).not.toHaveProperty('v');
  });
});

describe('an item is refused', () => {
  const ok = { stream: 's', data: 1 };
  const years = 'must be in the years 0000 to 9999 of UTC';
  const time = 'must be a time of RFC 3339, such as 2026-01-31T12:00:00Z';
  const cases: readonly (readonly [given: unknown, errors: readonly (string | RegExp)[]])[] = [
    [1, [/^: .*expected object/]],
    [null, [/^: .*expected object/]],
    [{ data: 1 }, ['stream: must be a text']],
    [{ ...ok, stream: 1 }, ['stream: must be a text']],
    [{ ...ok, stream: '' }, ['stream: must not be empty']],
    [{ ...ok, stream: 'x'.repeat(256) }, ['stream: must have at most 255 characters']],
    [{ ...ok, stream: 'a\nb' }, ['stream: must hold no control character']],
    [{ ...ok, stream: '\ud800' }, ['stream: must be well-formed Unicode']],
    [{ ...ok, key: 'x'.repeat(1025) }, ['key: must have at most 1024 characters']],
    [{ ...ok, id: '' }, ['id: must not be empty']],
    [{ ...ok, publishedAt: 'yesterday' }, [`publishedAt: ${time}`]],
    [{ ...ok, publishedAt: '2026-01-31T12:00:00' }, [`publishedAt: ${time}`]],
    [{ ...ok, publishedAt: '2026-02-30T12:00:00Z' }, [`publishedAt: ${time}`]],
    [{ ...ok, publishedAt: 1_700_000_000 }, [`publishedAt: ${time}`]],
    [{ ...ok, publishedAt: '0000-01-01T00:00:00+00:01' }, [`publishedAt: ${years}`]],
    [{ ...ok, publishedAt: '9999-12-31T23:59:59.999-00:01' }, [`publishedAt: ${years}`]],
    [{ stream: 's' }, [': must have either "data" (any JSON value) or "dataBase64"']],
    [{ ...ok, dataBase64: '' }, [': must have either "data" (any JSON value) or "dataBase64"']],
    [{ stream: 's', dataBase64: 1 }, ['dataBase64: must be a text']],
    ...['====', 'AA', 'AAA', 'AA=', 'AB==', 'A-_=', 'AAAA\n', ' AAAA', 'ÄÄÄÄ'].map(
      (dataBase64) =>
        [{ stream: 's', dataBase64 }, ['dataBase64: must be base64 with padding (RFC 4648 section 4)']] as const,
    ),
    [{ ...ok, contentType: 'text/plain' }, ['contentType: "data" is JSON; other types go into "dataBase64"']],
    [{ stream: 's', dataBase64: '', contentType: 'text' }, ['contentType: must be a media type']],
    [{ ...ok, attributes: [] }, ['attributes: must be an object of names and texts']],
    [{ ...ok, attributes: null }, ['attributes: must be an object of names and texts']],
    [{ ...ok, attributes: { a: null } }, ['attributes.a: must be a text, a number or a boolean']],
    [{ ...ok, attributes: { a: {} } }, ['attributes.a: must be a text, a number or a boolean']],
    [{ ...ok, attributes: { '': 'v' } }, ['attributes.: the name must not be empty']],
    [{ ...ok, attributes: { a: '\udc00' } }, ['attributes.a: must be well-formed Unicode']],
    [{ ...ok, tenant: 'T1', x: 1 }, [/^: Unrecognized keys/]],
    [JSON.parse('{"stream":"s","data":1,"__proto__":{}}'), [/^: Unrecognized key/]],
    [{ stream: '', data: 1, key: 2, publishedAt: '' }, [/^stream/, /^key/, /^publishedAt/]],
    [{ ...ok, attributes: { a: [] }, contentType: 'text/plain' }, [/^attributes.a/, /^contentType/]],
  ];

  test.each(cases)('%j', (given, errors) => {
    expect(errorsOf(given)).toEqual(
      errors.map((error) => (typeof error === 'string' ? error : expect.stringMatching(error))),
    );
  });

  test('for a name of an attribute that is too long, which is not sent back whole', () => {
    const errors = refusalReason(read({ ...ok, attributes: { ['x'.repeat(100_000)]: 'v' } }));
    expect(errors).toHaveLength(2);
    expect(JSON.stringify(errors).length).toBeLessThan(1000);
  });

  test('for more attributes than there may be, or more bytes of them', () => {
    expect(errorsOf({ ...ok, attributes: { a: '', b: '', c: '' } }, { attributesPerEventMax: 2 })).toEqual([
      'attributes: are more than 2',
    ]);
    const limit = { attributeBytesMax: 5 };
    expect(read({ ...ok, attributes: { ab: 'ä', c: '' } }, limit).ok).toBe(true);
    expect(errorsOf({ ...ok, attributes: { ab: 'ä', cd: '' } }, limit)).toEqual([
      'attributes: are more than 5 bytes together',
    ]);
  });
});
