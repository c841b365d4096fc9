import { Fault } from '../../application/fault.ts';
import type { UserDirectory } from '../../application/ports/user-directory.ts';
import { boundedFetch, type HttpAnswer } from '../bounded-fetch.ts';
import { untilAborted } from '../until-aborted.ts';
import { fillUrlTemplate, parseUrlTemplate } from '../url-template.ts';
import type { DirectorySettings } from './directory-settings.ts';

const subject = 'the address of a user';

/** Of a profile, with everything that is in it. */
const answerBytesMax = 256 * 1024;

/** Asks a service by HTTP, for each try of a mail anew: the address of now is the one that counts. */
export function createHttpUserDirectory(settings: DirectorySettings): UserDirectory {
  const { url, path, bearer, field, timeoutMs } = settings;
  const template = parseUrlTemplate(`${url}${path}`);
  if (!template.ok) throw new RangeError(`the URL of the user directory ${template.reason}`);
  const request = {
    subject,
    headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
    timeoutMs,
    bytesMax: answerBytesMax,
  };
  return {
    async addressesOf(userId, signal) {
      const filled = fillUrlTemplate(template.value, new Map([['user', userId]]));
      // An id that cannot stand in a URL is nobody's.
      if (!filled.ok) return [];
      const answer = await untilAborted(boundedFetch(filled.value, request), signal, stopped);
      return addressesIn(answer, field);
    },
  };
}

/** The answer to the wrong question looks like one about a user without an address, so only a plain yes counts. */
function addressesIn({ status, text }: HttpAnswer, field: string): readonly string[] {
  if (status !== 200) throw unusable(`it answers with the status ${status}`);
  const user = parsed(text);
  // A user whom the service does not know.
  if (user === null) return [];
  if (typeof user !== 'object' || Array.isArray(user)) throw unusable('its answer is no JSON object');
  const value = Object.hasOwn(user, field) ? (user as Record<string, unknown>)[field] : undefined;
  if (value === undefined || value === null || value === '') return [];
  const addresses = Array.isArray(value) ? value : [value];
  if (!addresses.every((each): each is string => typeof each === 'string')) throw unusable(`"${field}" is no text`);
  return addresses.filter((address) => address !== '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unusable = (reason: string): Fault =>
  new Fault(
    'user_directory_unusable',
    'retry',
    `the service that knows the addresses of users cannot be used: ${reason}; see its URL, its path and the token`,
  );

const stopped = (): Fault => new Fault('user_directory_given_up', 'retry', 'the gateway is stopping');
