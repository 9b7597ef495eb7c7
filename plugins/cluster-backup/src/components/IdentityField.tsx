import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, PasswordField, Text } from '@backstage/ui';
import { RiFile3Line } from '@remixicon/react';
import { ChangeEvent, useId, useRef, useState } from 'react';
import { IdentityProblem } from '../identity/decrypterWith';
import { clusterBackupTranslationRef } from '../translation';

/** Takes an age identity, typed or from a file. What is given stays in the browser. */
export function IdentityField(props: {
  value: string;
  onChange(value: string): void;
  problem?: IdentityProblem;
  isDisabled: boolean;
}) {
  const { value, onChange, problem, isDisabled } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [fileName, setFileName] = useState<string>();
  const problemId = useId();
  const input = useRef<HTMLInputElement>(null);

  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const [file] = event.target.files ?? [];
    event.target.value = '';
    if (file) {
      onChange(await file.text());
      setFileName(file.name);
    }
  };

  return (
    <Flex direction="column" gap="2">
      {fileName === undefined ? (
        <PasswordField
          label={t('identity.label')}
          description={t('identity.description')}
          value={value}
          onChange={onChange}
          isDisabled={isDisabled}
          isInvalid={problem !== undefined}
          aria-describedby={problem && problemId}
          autoComplete="off"
          placeholder="AGE-SECRET-KEY-1…"
        />
      ) : (
        <Text>{t('identity.chosen', { name: fileName })}</Text>
      )}
      {problem && (
        <Text role="alert" color="danger" id={problemId}>
          {t(`identity.${problem}`)}
        </Text>
      )}
      <input
        ref={input}
        type="file"
        aria-label={t('identity.choose')}
        hidden
        onChange={choose}
      />
      <div>
        {fileName === undefined ? (
          <Button
            size="small"
            variant="secondary"
            iconStart={<RiFile3Line />}
            isDisabled={isDisabled}
            onPress={() => input.current?.click()}
          >
            {t('identity.choose')}
          </Button>
        ) : (
          <Button
            size="small"
            variant="secondary"
            isDisabled={isDisabled}
            onPress={() => {
              setFileName(undefined);
              onChange('');
            }}
          >
            {t('identity.remove')}
          </Button>
        )}
      </div>
    </Flex>
  );
}
