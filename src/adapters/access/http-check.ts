import type { AccessCheck } from '../../application/ports/access-check.ts';
import type { Condition } from '../../domain/condition.ts';
import { answerNames, type CheckSettings } from './access-settings.ts';
import { compileCondition } from './cel-condition.ts';
import { type AccessDependencies, type AnswerScope, createHttpQuestion, type Interpretation } from './http-question.ts';

/**
 * A back-end that is asked whether something may be. It denies without being asked when a variable of its URL or the
 * token that it wants is absent. What `otherwise` means is never remembered.
 */
export function createHttpCheck(name: string, settings: CheckSettings, deps: AccessDependencies): AccessCheck {
  const allows = conditionOf(settings.allow);
  const denies = conditionOf(settings.deny);
  const interpret = (answer: AnswerScope): Interpretation<boolean> => {
    if (allows(answer).ok) return { value: true, outcome: 'allow' };
    if (denies(answer).ok) return { value: false, outcome: 'deny' };
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
        return false;
      } catch (error) {
        if (settings.otherwise === 'deny') return false;
        throw error;
      }
    },
  };
}

/** The schema has compiled it already, so this cannot fail for settings that come from there. */
function conditionOf(text: string): Condition {
  const condition = compileCondition(text, answerNames);
  if (condition.ok) return condition.value;
  throw new TypeError(`"${text}": ${condition.reason}`);
}
