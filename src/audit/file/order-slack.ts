/**
 * How far a record's time may be before the time of records that stand before it in its chain. A request's record has the
 * time of its arrival and is written when it is answered: seconds later at most. The rest is for a clock that is set back.
 * Searches by time and by id look so much further at both ends; a record that is out of order by more may be missed by
 * them, never by a walk without a time, an export or `verify`. Milliseconds.
 */
export const ORDER_SLACK = 5 * 60_000;
