import type { AcceptLink, Link } from "../link.ts";

/** Two ends of one link, made anew for every test. */
export interface CarrierPair extends AsyncDisposable {
  /** The side that connected; its `peer` is `names.accepting`. */
  readonly connecting: Link;
  /** The side that was connected to; its `peer` is `names.connecting`. */
  readonly accepting: Link;
  /**
   * Makes the connecting side vanish without a word, as a killed process does, as far as the carrier can imitate that; the
   * accepting side must notice by itself within the test's time.
   */
  vanish?(): void | Promise<void>;
  /** Sends bytes that are no message of the carrier to the accepting side, where it takes bytes from anywhere. */
  garbage?(): void | Promise<void>;
}

export interface CarrierSetup {
  /** What the two sides are called. */
  readonly names: { readonly connecting: string; readonly accepting: string };
  connect(connecting: AcceptLink, accepting: AcceptLink): Promise<CarrierPair>;
}
