import { describe, expect, test } from 'vitest';
import {
  connectRefusal,
  hasSession,
  upgradeRefusal,
} from '../../../src/adapters/outbound/socketio/socketio-refusal.ts';
import { denialCodes } from '../../../src/domain/denial.ts';

describe('a refused client', () => {
  test.each(denialCodes)('learns the code %s and a text, never the reason', (code) => {
    const error = connectRefusal({ kind: 'denied', denial: { code, reason: 'SECRET' } });
    expect(error.data).toEqual({ code });
    expect(error.message).toMatch(/^[A-Z][a-z ]+/);
    expect(
      JSON.stringify(
        error,
        Object.getOwnPropertyNames(error).filter((name) => name !== 'stack'),
      ),
    ).not.toContain('SECRET');
  });

  test('learns when to try again', () => {
    const error = connectRefusal({ kind: 'try-later', retryAfterMs: 1234 });
    expect(error.data).toEqual({ code: 'try_later', retryAfterMs: 1234 });
    expect(error.message).toBe('Try again later');
  });
});

describe('an upgrade', () => {
  test.each([
    ['EIO=4&transport=websocket', undefined],
    ['transport=websocket&EIO=4&sid=x&token=y', undefined],
    ['EIO=3&transport=websocket', '{"code":5,"message":"Unsupported protocol version"}'],
    ['transport=websocket', '{"code":5,"message":"Unsupported protocol version"}'],
    ['EIO=4&EIO=3&transport=websocket', '{"code":5,"message":"Unsupported protocol version"}'],
    ['EIO=4&transport=polling', '{"code":0,"message":"Transport unknown"}'],
    ['EIO=4&transport=websocket&transport=webtransport', '{"code":0,"message":"Transport unknown"}'],
    ['EIO=4&transport=constructor', '{"code":0,"message":"Transport unknown"}'],
    ['', '{"code":0,"message":"Transport unknown"}'],
  ])('with the query %j is answered %j', (query, body) => {
    const refusal = upgradeRefusal(`/socket.io/?${query}`, false);
    expect(refusal?.body).toBe(body);
    expect(refusal?.status).toBe(body === undefined ? undefined : 400);
  });

  test('belongs to a connection when it says which', () => {
    expect(hasSession('/socket.io/?EIO=4&sid=x')).toBe(true);
    expect(hasSession('/socket.io/?EIO=4&xsid=x')).toBe(false);
  });
});
