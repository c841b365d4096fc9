import { describe, expect, test } from 'vitest';
import { httpSettings } from '../../../src/adapters/inbound/http/http-settings.ts';
import { accessSettingsSchema } from '../../../src/adapters/settings-fields.ts';

const credentials = (from: string) => ({ credentials: [{ from, accepts: ['t'] }] });
const lowerCase = 'must have the name of the header in lower case, such as header.authorization';
const anyPlace = 'must be auth.NAME, query.NAME or header.NAME';
const noAuth = 'must be header.NAME or query.NAME: an HTTP request has no auth';

describe('where a token is put', () => {
  test.each([
    ['auth.token', []],
    ['auth.Token', []],
    ['query.userToken', []],
    ['header.x-api-key', []],
    ['header.Authorization', [lowerCase]],
    ['header.X-Api-Key', [lowerCase]],
    ['header.', [anyPlace]],
    ['Header.authorization', [anyPlace]],
    ['header.a.b', [anyPlace]],
    ['cookie.token', [anyPlace]],
  ])('a client of an endpoint: %s', (from, messages) => {
    const { error } = accessSettingsSchema.safeParse(credentials(from));
    expect((error?.issues ?? []).map(({ message }) => message)).toEqual(messages);
  });

  test.each([
    ['header.authorization', []],
    ['query.token', []],
    ['auth.token', [noAuth]],
    ['header.Authorization', [lowerCase]],
    ['cookie.token', [anyPlace]],
  ])('a publisher: %s', (from, messages) => {
    const { error } = httpSettings.safeParse(credentials(from));
    expect((error?.issues ?? []).map(({ message }) => message)).toEqual(messages);
  });
});
