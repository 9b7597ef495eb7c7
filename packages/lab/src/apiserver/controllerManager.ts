import { runLeaderElection } from './leaderElection';

runLeaderElection('kube-controller-manager', process.argv.slice(2)).catch(
  error => {
    process.stderr.write(`kube-controller-manager: ${error.message}\n`);
    process.exit(1);
  },
);
