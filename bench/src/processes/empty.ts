/** Nothing but Node: what every program of it costs at the least. */
process.stdout.write("started\n");
process.stdin.resume().once("end", () => process.exit(0));
