import {
  Button,
  ButtonProps,
  Tooltip,
  TooltipTrigger,
  VisuallyHidden,
} from '@backstage/ui';
import { useId } from 'react';
import styles from './ReasonedButton.module.css';

/** A button that can be reached while it does nothing, so that it can say why. */
export function ReasonedButton(
  props: Omit<ButtonProps, 'className'> & { reason?: string },
) {
  const { reason, ...button } = props;
  const id = useId();
  if (reason === undefined) {
    return <Button {...button} />;
  }
  return (
    <>
      <TooltipTrigger delay={200}>
        <Button
          {...button}
          className={styles.refused}
          aria-disabled
          aria-describedby={id}
          onPress={undefined}
        />
        <Tooltip>{reason}</Tooltip>
      </TooltipTrigger>
      <VisuallyHidden id={id}>{reason}</VisuallyHidden>
    </>
  );
}
