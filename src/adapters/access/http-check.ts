import type { AccessCheck } from '../../application/ports/access-check.ts';
import type { CheckAnswer } from '../../domain/access-rule.ts';
import type { Condition } from '../../domain/condition.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { answerNames, type CheckSettings } from './access-settings.ts';
import { compileCondition } from './cel-condition.ts';
import { compileExpression, textList } from './cel-expression.ts';
import { type AccessDependencies, type AnswerScope, createHttpQuestion, type Interpretation } from './http-question.ts';

/**
 * A back-end that is asked whether something may be. It denies without being asked when a variable of its URL or the
 * token that it wants is absent. What `otherwise` means is never remembered.
 */
export function createHttpCheck(name: string, settings: CheckSettings, deps: AccessDependencies): AccessCheck {
  const allows = conditionOf(settings.allow);
  const denies = conditionOf(settings.deny);
  const yes = settings.list === undefined ? undefined : listOf(settings.list);
  const no = settings.list === undefined ? false : [];
  const interpret = (answer: AnswerScope): Interpretation<CheckAnswer> => {
    if (allows(answer).ok) {
      const value = yes ? yes(answer) : allowed(true);
      return value.ok ? { value: value.value, outcome: 'allow' } : value.reason;
    }
    if (denies(answer).ok) return { value: no, outcome: 'deny' };
    return `its answer with status ${answer.status} means neither yes nor no`;
  };
  const question = createHttpQuestion(name, settings, interpret, deps);
  return {
    name,
    async check(asked, signal) {
      try {
        const answer = await question.ask(asked, signal);
        if (answer.ok) return answer.value;
        deps.observer.observe({ kind: 'check-answered', check: name, outcome: 'deny' });
        return no;
      } catch (error) {
        if (settings.otherwise === 'deny') return no;
        throw error;
      }
    },
  };
}

function listOf(text: string): (answer: AnswerScope) => Verdict<readonly string[]> {
  const expression = compileExpression(text, answerNames);
  if (!expression.ok) throw new TypeError(`"${text}": ${expression.reason}`);
  return (answer) => {
    const result = expression.value(answer);
    const list = result.ok ? textList(result.value) : undefined;
    if (list) return allowed(list);
    const reason = result.ok ? 'what `list` makes is no list of text' : result.reason;
    return refused(`of its answer with status ${answer.status}, ${reason}`);
  };
}

/** The schema has compiled it already, so this cannot fail for settings that come from there. */
function conditionOf(text: string): Condition {
  const condition = compileCondition(text, answerNames);
  if (condition.ok) return condition.value;
  throw new TypeError(`"${text}": ${condition.reason}`);
}
