/** Runs the program; importing this is starting it. @module */
import process from "node:process";
import { main } from "./program.ts";

process.exit(await main(process.argv.slice(2)));
