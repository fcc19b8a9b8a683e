/** Where a checkpoint was found. */
export type CheckpointPlace =
  | { readonly type: 'kept' }
  | { readonly type: 'head' }
  /** A checkpoint that left the machine: the file and line it was read from. */
  | { readonly type: 'printed'; readonly at: string };

/** One thing that is wrong with an instance's chain. Sequence numbers are inclusive. */
export type Finding =
  | { readonly kind: 'records_missing'; readonly from: number; readonly to: number }
  | { readonly kind: 'record_out_of_order'; readonly sequence: number; readonly after: number }
  | { readonly kind: 'record_unreadable'; readonly sequence: number; readonly reason: string }
  | { readonly kind: 'record_edited'; readonly sequence: number; readonly id: string | null }
  | { readonly kind: 'record_misplaced'; readonly sequence: number; readonly id: string | null; readonly says: string }
  | { readonly kind: 'record_unlinked'; readonly sequence: number; readonly id: string | null }
  | {
      readonly kind: 'chain_rewritten';
      readonly from: number;
      readonly to: number;
      readonly place: CheckpointPlace;
      /** How many checkpoints in a row do not fit; `to` is the size of the first. */
      readonly checkpoints: number;
    }
  | { readonly kind: 'tail_cut'; readonly from: number; readonly to: number; readonly place: CheckpointPlace }
  | { readonly kind: 'records_uncovered'; readonly from: number; readonly to: number }
  | { readonly kind: 'head_missing' }
  | { readonly kind: 'head_wrong'; readonly sequence: number }
  | { readonly kind: 'beginning_cut'; readonly to: number; readonly hasCheckpoint: boolean }
  /** The last of them was signed at `signedAt`, milliseconds since the epoch. */
  | { readonly kind: 'retired_early'; readonly to: number; readonly signedAt: number }
  | {
      readonly kind: 'checkpoint_invalid';
      readonly size: number | null;
      readonly place: CheckpointPlace;
      readonly reason: string;
    }
  | { readonly kind: 'key_unknown'; readonly origin: string }
  /** More or fewer records are shown to those who ask than stand in the chain. */
  | { readonly kind: 'records_unaccounted'; readonly to: number; readonly shown: number; readonly read: number }
  | { readonly kind: 'records_before_beginning'; readonly count: number; readonly beginning: number }
  | { readonly kind: 'store_fault'; readonly says: string }
  | { readonly kind: 'instance_missing'; readonly size: number; readonly place: CheckpointPlace };

/** A finding as one sentence, without the instance's name. Parts of it come from the store as they are. */
export function describeFinding(finding: Finding): string {
  switch (finding.kind) {
    case 'records_missing':
      return `${records(finding)} removed`;
    case 'record_out_of_order':
      return `record ${finding.sequence} stands after record ${finding.after}: records were reordered or put in`;
    case 'record_unreadable':
      return `record ${finding.sequence} cannot be read: ${finding.reason}`;
    case 'record_edited':
      return `${named(finding)} is not what was written: it, or the record before it, was edited`;
    case 'record_misplaced':
      return `${named(finding)} says that it is ${finding.says}: it was moved here`;
    case 'record_unlinked':
      return `${named(finding)} does not follow the record before it: records were removed, reordered or put in here`;
    case 'chain_rewritten':
      return (
        `${records(finding)} rewritten, at least in part: they are not what ` +
        `${described(finding.place, finding.to)} covers${others(finding.checkpoints)}`
      );
    case 'tail_cut':
      return `${records(finding)} cut off from the end: ${described(finding.place, finding.to)} covers them`;
    case 'records_uncovered':
      return `${records(finding)} added: no signed checkpoint covers them`;
    case 'head_missing':
      return 'the end of the chain is not on record any more: what was cut off from the end cannot be known';
    case 'head_wrong':
      return `the end of the chain on record, record ${finding.sequence}, is not the record that is there`;
    case 'beginning_cut':
      return finding.hasCheckpoint
        ? `records 1 to ${finding.to} are gone, and the chain does not begin as the checkpoint of that size says`
        : `records 1 to ${finding.to} are gone, and there is no checkpoint of that size: they were not retired`;
    case 'retired_early': {
      const until = new Date(finding.signedAt).toISOString();
      return `records 1 to ${finding.to} are gone, the last of them of ${until}: the retention in force keeps them`;
    }
    case 'checkpoint_invalid':
      return `${described(finding.place, finding.size)} was made or changed by somebody else: ${finding.reason}`;
    case 'key_unknown':
      return `nothing here is proven: no verifier key was given for ${finding.origin}`;
    case 'records_unaccounted':
      return `up to record ${finding.to} the chain has ${finding.read} records, and ${finding.shown} are shown to those who ask`;
    case 'records_before_beginning':
      return `${finding.count} records were put in before record ${finding.beginning}, where the chain begins`;
    case 'store_fault':
      return `the store was changed: ${finding.says}`;
    case 'instance_missing':
      return `the whole instance is gone: ${described(finding.place, finding.size)} covers records 1 to ${finding.size}`;
  }
}

function records({ from, to }: { readonly from: number; readonly to: number }): string {
  return from === to ? `record ${from} was` : `records ${from} to ${to} were`;
}

function named({ sequence, id }: { readonly sequence: number; readonly id: string | null }): string {
  return id === null ? `record ${sequence}` : `record ${sequence} (${id})`;
}

function described(place: CheckpointPlace, size: number | null): string {
  const which = size === null ? '' : ` of size ${size}`;
  switch (place.type) {
    case 'kept':
      return `the store's checkpoint${which}`;
    case 'head':
      return `the checkpoint${which} at the end of the chain`;
    case 'printed':
      return `the checkpoint${which} in ${place.at}`;
  }
}

function others(checkpoints: number): string {
  return checkpoints === 1 ? '' : `, nor what the ${checkpoints - 1} checkpoints after it cover`;
}
