import { runLeaderElection } from './leaderElection';

runLeaderElection('kube-scheduler', process.argv.slice(2)).catch(error => {
  process.stderr.write(`kube-scheduler: ${error.message}\n`);
  process.exit(1);
});
