import { Card, CardBody, CardHeader, Flex, Text } from '@backstage/ui';
import { ReactNode, useId } from 'react';

export function Section(props: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <Card role="region" aria-labelledby={id}>
      <CardHeader>
        <Flex
          align="center"
          justify="between"
          gap="2"
          style={{ flexWrap: 'wrap' }}
        >
          <Text as="h2" variant="title-x-small" weight="bold" id={id}>
            {props.title}
          </Text>
          {props.actions}
        </Flex>
      </CardHeader>
      <CardBody>{props.children}</CardBody>
    </Card>
  );
}
