import type { PermissionSource } from '../../application/ports/access-check.ts';
import { isOutage } from '../bounded-fetch.ts';
import { answerNames, type PermissionSourceSettings } from './access-settings.ts';
import { type CelExpression, compileExpression, textList } from './cel-expression.ts';
import { type AccessDependencies, type AnswerScope, createHttpQuestion, type Interpretation } from './http-question.ts';

/**
 * A back-end that knows the permissions of a token, such as an IAM API (hiiretail.md 3.4). There are none, and it is
 * not asked, when a variable of its URL or the token that it wants is absent.
 */
export function createHttpPermissions(
  name: string,
  settings: PermissionSourceSettings,
  deps: AccessDependencies,
): PermissionSource {
  const list = expressionOf(settings.list);
  const interpret = (answer: AnswerScope): Interpretation<readonly string[]> => {
    // Whatever its body may look like.
    if (isOutage(answer)) return `its answer with status ${answer.status} tells nothing`;
    const result = list(answer);
    const permissions = result.ok ? textList(result.value) : undefined;
    if (permissions) return { value: permissions, outcome: 'allow' };
    const reason = result.ok ? 'what `list` makes is no list of text' : result.reason;
    return `of its answer with status ${answer.status}, ${reason}`;
  };
  const question = createHttpQuestion(name, settings, interpret, deps);
  return {
    credential: settings.credential,
    async permissions(asked, signal) {
      const answer = await question.ask(asked, signal);
      return answer.ok ? answer.value : [];
    },
  };
}

/** The schema has compiled it already, so this cannot fail for settings that come from there. */
function expressionOf(text: string): CelExpression {
  const expression = compileExpression(text, answerNames);
  if (expression.ok) return expression.value;
  throw new TypeError(`"${text}": ${expression.reason}`);
}
