import { CST, Lexer } from 'yaml';

/**
 * Offsets of the references that stand without quotes within `{ }` or `[ ]`, where YAML takes their brace for one of
 * its own: text that ends in `$`, and an opening brace right behind it.
 */
export function unquotedReferences(text: string): readonly number[] {
  const offsets: number[] = [];
  let offset = 0;
  let isPlain = false;
  let plainBefore = '';
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer's own signs are not in the text; one of them announces text without quotes.
    if (lexeme === CST.SCALAR) isPlain = true;
    if (lexeme === CST.DOCUMENT || lexeme === CST.SCALAR || lexeme === CST.FLOW_END) continue;
    if (lexeme === '{' && plainBefore.endsWith('$')) offsets.push(offset - 1);
    plainBefore = isPlain ? lexeme : '';
    isPlain = false;
    offset += lexeme.length;
  }
  return offsets;
}
