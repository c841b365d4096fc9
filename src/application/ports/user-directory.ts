/** Who knows where people are reached. */
export interface UserDirectory {
  /**
   * The addresses that the directory has for a user, as they stand there; none where it knows of none. Rejects with a
   * `Fault` (`retry`) when it cannot tell.
   */
  addressesOf(userId: string, signal: AbortSignal): Promise<readonly string[]>;
}
