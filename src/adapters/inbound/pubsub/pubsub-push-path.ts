/** Where Pub/Sub posts to: the path of a push endpoint, by the name of its source. */
export const pushPath = (source: string): string => `/v1/push/${source}`;
