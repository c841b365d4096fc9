import { z } from 'zod';

/** Fields that the settings of several endpoints share. */
export const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

export const pathText = z.string().regex(/^\/[^?#\s]*$/, 'must begin with / and have no query');

export const originText = z
  .string()
  .refine(
    (text) => text === '*' || URL.parse(text)?.origin === text,
    'must be * or an origin, such as https://example.com',
  );
