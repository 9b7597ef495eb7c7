import { startApiServer } from './apiServer';
import { readFlags } from './flags';

// A real one goes on serving for about that long after SIGTERM.
const stopSeconds = Number(process.env.LAB_APISERVER_STOP_SECONDS ?? 5);

// The real one's is built in; the runtime says of which image the stand-in is.
const version = process.env.LAB_IMAGE?.split(':').pop();

startApiServer(readFlags(process.argv.slice(2)), version).then(
  server => {
    const stop = () => {
      server.stop(stopSeconds).then(() => process.exit(0));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  },
  error => {
    process.stderr.write(`kube-apiserver: ${error.message}\n`);
    process.exit(1);
  },
);
