import { CloudEvent, HTTP } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { readBinary, readStructured } from '../../../src/adapters/inbound/http/cloud-event.ts';
import type { Intake } from '../../../src/adapters/inbound/http/event-fields.ts';
import { httpSettings } from '../../../src/adapters/inbound/http/http-settings.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';

const now = Date.UTC(2026, 0, 31, 12);
const intake = (attributes: Record<string, string> = { tenantid: 'Tenant-Id' }): Intake => ({
  source: 'http',
  settings: httpSettings.parse({ cloudEvents: { attributes } }),
  now,
  newId: () => 'never asked for',
});

const required = { specversion: '1.0', id: 'e1', source: '/shop/1', type: 'orders.v1' };

/** As if `data` had been sent without a space. */
function structured(given: object, into = intake()) {
  const data: unknown = Object(given)['data'];
  return readStructured(given, data === undefined ? undefined : JSON.stringify(data), into);
}

const headersOf = (headers: Readonly<Record<string, string | readonly string[]>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()]));
const binaryHeaders = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/shop/1', 'ce-type': 'orders.v1' };
const binary = (headers: Readonly<Record<string, string | readonly string[]>>, body = '') =>
  readBinary(headersOf({ ...binaryHeaders, ...headers }), new TextEncoder().encode(body), intake());

const pathsOf = (verdict: ReturnType<typeof structured>): readonly string[] =>
  refusalReason(verdict).map(({ path }) => path.join('.'));

describe('a structured CloudEvent', () => {
  test('issue 2: stream is type, key is subject, extensions are attributes under their names in the config', () => {
    const event = allowedValue(
      structured({
        ...required,
        subject: 'order.7',
        time: '2026-01-31T12:00:00.25Z',
        dataschema: 'https://example.com/order',
        tenantid: 'T1',
        count: 3,
        urgent: true,
        data: { a: 1 },
      }),
    );
    expect(event).toMatchObject({ id: 'e1', stream: 'orders.v1', key: 'order.7', contentType: 'application/json' });
    expect(event.publishedAt).toBe(now + 250);
    expect([...event.attributes]).toEqual([
      ['Tenant-Id', 'T1'],
      ['count', '3'],
      ['urgent', 'true'],
    ]);
    expect(event.origin.properties).toEqual({
      specversion: '1.0',
      source: '/shop/1',
      dataschema: 'https://example.com/order',
    });
    expect(event.jsonText()).toBe('{"a":1}');
  });

  test('without time, subject and data', () => {
    const event = allowedValue(structured(required));
    expect(event).toMatchObject({ key: '', publishedAt: now, contentType: undefined });
    expect(event.payload).toHaveLength(0);
  });

  test('JSON format section 2.2: an attribute that is null is absent', () => {
    const event = allowedValue(structured({ ...required, subject: null, time: null, tenantid: null }));
    expect(event).toMatchObject({ key: '', publishedAt: now });
    expect(event.attributes.size).toBe(0);
  });

  const data: readonly (readonly [what: string, given: object, text: string, contentType: string | undefined])[] = [
    ['a JSON value', { data: 'text' }, '"text"', 'application/json'],
    ['JSON null', { data: null }, 'null', 'application/json'],
    ['of a JSON type', { data: 'text', datacontenttype: 'a/b+json' }, '"text"', 'a/b+json'],
    ['text of another type', { data: '<a>ä</a>', datacontenttype: 'text/xml' }, '<a>ä</a>', 'text/xml'],
    ['a JSON value of another type', { data: { a: 1 }, datacontenttype: 'text/xml' }, '{"a":1}', 'text/xml'],
    ['bytes', { data_base64: 'w6Q=', datacontenttype: 'text/plain' }, 'ä', 'text/plain'],
    ['bytes of no type', { data_base64: 'w6Q=' }, 'ä', undefined],
  ];

  test.each(data)('JSON format section 3.1: %s', (_what, given, text, contentType) => {
    const event = allowedValue(structured({ ...required, ...given }));
    expect(new TextDecoder().decode(event.payload)).toBe(text);
    expect(event.contentType).toBe(contentType);
  });

  const refusedCases: readonly (readonly [what: string, given: object, paths: readonly string[]])[] = [
    ['an array', [], ['']],
    ['no id, which the package would make up', { ...required, id: undefined }, ['id']],
    ['an empty id', { ...required, id: '' }, ['id']],
    ['a number as id', { ...required, id: 1 }, ['id']],
    ['no version', { ...required, specversion: undefined }, ['specversion']],
    ['version 0.3', { ...required, specversion: '0.3' }, ['specversion']],
    ['no source', { ...required, source: undefined }, ['source']],
    ['a source that is no URI reference', { ...required, source: 'a b' }, ['source']],
    ['a source of any length', { ...required, source: 'x'.repeat(3000) }, ['source']],
    ['an empty type', { ...required, type: '' }, ['type']],
    ['an empty subject', { ...required, subject: '' }, ['subject']],
    ['a time that is none', { ...required, time: 'now' }, ['time']],
    ['a leap second', { ...required, time: '2016-12-31T23:59:60Z' }, ['time']],
    ['a time before the year 0 of UTC', { ...required, time: '0000-01-01T00:00:00+00:01' }, ['time']],
    ['a time after the year 9999 of UTC', { ...required, time: '9999-12-31T23:59:59-00:01' }, ['time']],
    ['a schema that is no URI', { ...required, dataschema: 'x y' }, ['dataschema']],
    ['an extension in upper case', { ...required, TenantId: 'T1' }, ['TenantId']],
    ['`__proto__`', JSON.parse(`{"__proto__":"x",${JSON.stringify(required).slice(1)}`), ['__proto__']],
    ['an object as extension', { ...required, tenantid: {} }, ['tenantid']],
    ['a fraction as extension', { ...required, tenantid: 1.5 }, ['tenantid']],
    ['data twice', { ...required, data: 1, data_base64: '' }, ['data_base64']],
    ['broken base64', { ...required, data_base64: 'x' }, ['data_base64']],
    ['several mistakes', { ...required, id: '', A: '', tenantid: [] }, ['A', 'id', 'tenantid']],
  ];

  test.each(refusedCases)('%s is refused', (_what, given, paths) => {
    expect(pathsOf(structured(given))).toEqual(paths);
  });

  test('extensions may be called like anything that an object has', () => {
    const names = ['validate', 'constructor', 'valueof', 'emit'];
    const given = Object.fromEntries(names.map((name) => [name, 'v']));
    expect([...allowedValue(structured({ ...required, ...given })).attributes.keys()]).toEqual(names);
  });

  test('two extensions that would become one attribute are refused', () => {
    expect(pathsOf(structured({ ...required, tenantid: 'T1', tenant: 'T2' }, intake({ tenantid: 'tenant' })))).toEqual([
      'tenant',
    ]);
  });

  test('as the package writes it', () => {
    const sent = new CloudEvent({
      ...required,
      subject: 's',
      time: new Date(now).toISOString(),
      tenantid: 'T1',
      data: 1,
    });
    const given: unknown = JSON.parse(String(HTTP.structured(sent).body));
    const event = allowedValue(readStructured(given, '1', intake()));
    expect(event).toMatchObject({ id: 'e1', stream: 'orders.v1', key: 's', publishedAt: now });
  });
});

describe('a binary CloudEvent', () => {
  test('the body is the data, whatever it is', () => {
    const body = Uint8Array.of(0xff, 0, 0xfe);
    const event = allowedValue(
      readBinary(headersOf({ ...binaryHeaders, 'content-type': 'image/png' }), body, intake()),
    );
    expect(event.payload).toBe(body);
    expect(event).toMatchObject({ id: 'e1', stream: 'orders.v1', contentType: 'image/png', publishedAt: now });
  });

  test('HTTP binding section 3.1.3.2: values are percent-encoded, and may stand in quotes', () => {
    const event = allowedValue(
      binary({ 'ce-subject': 'Gr%C3%B6%C3%9Fe%20%25', 'ce-tenantid': '"T \\"1\\" %F0%9F%91%8D"' }),
    );
    expect(event.key).toBe('Größe %');
    expect(event.attributes.get('Tenant-Id')).toBe('T "1" 👍');
  });

  const refusedCases: readonly (readonly [what: string, headers: Record<string, string | string[]>, path: string])[] = [
    ['half an escape', { 'ce-subject': '100%' }, 'ce-subject'],
    ['escapes that are no UTF-8', { 'ce-subject': '%ff' }, 'ce-subject'],
    ['bytes beyond ASCII', { 'ce-subject': 'Ã¶' }, 'ce-subject'],
    ['a header twice', { 'ce-type': ['a', 'b'] }, 'ce-type'],
    ['a content type in the wrong place', { 'ce-datacontenttype': 'text/plain' }, 'ce-datacontenttype'],
    ['data in a header', { 'ce-data': 'x' }, 'data'],
    ['a name with a dash', { 'ce-tenant-id': 'T1' }, 'tenant-id'],
    ['a version that is not known', { 'ce-specversion': '2.0' }, 'specversion'],
  ];

  test.each(refusedCases)('%s is refused', (_what, headers, path) => {
    expect(pathsOf(binary(headers))).toEqual([path]);
  });
});

describe('the names of extensions in the config', () => {
  const refused: readonly (readonly [what: string, attributes: Record<string, string>])[] = [
    ['what CloudEvents cannot carry', { 'tenant-id': 'Tenant-Id' }],
    ['what CloudEvents defines itself', { subject: 'Subject' }],
    ['two names for one attribute', { a: 'Tenant-Id', b: 'Tenant-Id' }],
    ['an empty name', { a: '' }],
  ];

  test.each(refused)('%s is refused', (_what, attributes) => {
    expect(httpSettings.safeParse({ cloudEvents: { attributes } }).success).toBe(false);
  });
});
