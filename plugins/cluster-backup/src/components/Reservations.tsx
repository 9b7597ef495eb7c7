import { Alert, Flex } from '@backstage/ui';
import { Reservation } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** What a person should know about a backup. */
export function Reservations(props: { reservations: Reservation[] }) {
  return (
    <Flex direction="column" gap="2">
      {props.reservations.map(({ id, title, message, machine }, index) => (
        <Alert
          key={`${id} ${machine} ${index}`}
          status="warning"
          icon
          title={[machine, title].filter(Boolean).join(': ')}
          description={message}
        />
      ))}
    </Flex>
  );
}
