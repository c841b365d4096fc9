import { z } from 'zod';
import { credentialSettings, permitSettings, placeText } from '../settings-fields.ts';

const publisherCredential = credentialSettings.extend({
  from: placeText
    .regex(/^(?!auth\.)/, 'must be header.NAME or query.NAME: an HTTP request has no auth')
    .describe('Where the publisher puts the token: `header.NAME` in lower case, or `query.NAME`.'),
});

/** Who may publish by HTTP requests: the same words for every source that has a route. */
export const publishSettings = {
  credentials: z
    .array(publisherCredential)
    .default([])
    .describe('The tokens of a publisher; none: everybody is anonymous. They are looked at before a body is read.'),
  require: permitSettings.require.describe('CEL condition for each event; `event` is what is to be published.'),
  checks: permitSettings.checks,
  admissionMsMax: permitSettings.admissionMsMax,
};
