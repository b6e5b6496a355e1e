import { platform } from "../platform.ts";

/** Deliveries in one go before the host's event loop gets a turn: two sides that answer each other for ever must not stop it. */
const BURST = 1024;

/** Runs jobs in order, never inside `push`. */
export class DeliveryQueue<Job> {
  readonly #run: (job: Job) => void;
  #jobs: Job[] = [];
  #head = 0;
  #scheduled = false;

  constructor(run: (job: Job) => void) {
    this.#run = run;
  }

  push(job: Job): void {
    this.#jobs.push(job);
    if (this.#scheduled) return;
    this.#scheduled = true;
    platform.queueMicrotask(this.#drain);
  }

  readonly #drain = (): void => {
    for (let left = BURST; left > 0; left--) {
      if (this.#head === this.#jobs.length) {
        this.#jobs = [];
        this.#head = 0;
        this.#scheduled = false;
        return;
      }
      this.#run(this.#jobs[this.#head++]!);
    }
    this.#jobs = this.#jobs.slice(this.#head);
    this.#head = 0;
    platform.setTimeout(this.#drain, 0);
  };
}
