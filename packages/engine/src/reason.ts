/** Why a person wants what is not done by itself, in their own words. @public */
export interface WrittenReason {
  text: string;
  /** Who wrote it: an entity reference, or whoever ran the command. */
  by: string;
  /** Who approved it, where a second person had to. */
  approvedBy?: string;
}
