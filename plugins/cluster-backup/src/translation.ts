import { createTranslationRef } from '@backstage/frontend-plugin-api';

/**
 * Everything that the Backup tab says.
 *
 * @public
 */
export const clusterBackupTranslationRef = createTranslationRef({
  id: 'cluster-backup',
  messages: {
    common: {
      loading: 'Loading',
      cancel: 'Cancel',
      close: 'Close',
      tryAgain: 'Try again',
    },
    protection: {
      protected: 'Protected',
      'at-risk': 'At risk',
      unprotected: 'Unprotected',
      never: 'This cluster has never been backed up',
      last: 'Last good backup {{age}}',
      facts: '{{time}} · from member {{member}} · {{size}}',
      loss: 'What changed since then is not in it.',
      reservations_one: '{{count}} reservation',
      reservations_other: '{{count}} reservations',
      noReservations: 'no reservations',
    },
    actions: {
      download: 'Download',
      backUp: 'Back up now',
      backUpWithOptions: 'Options',
      check: 'Check',
      verify: 'Verify',
      keep: 'Keep',
      release: 'Release',
      restore: 'Restore',
      restoreBackupOf: 'Restore the backup of {{time}}',
      cancelOperation: 'Cancel',
      cancelling: 'Cancelling…',
      resume: 'Resume',
      undo: 'Undo',
      dismiss: 'Dismiss',
    },
    busy: {
      queued: 'Something else is queued for this cluster.',
      running: 'Something else is running on this cluster.',
      interrupted:
        'A restore of this cluster was interrupted. Resume or undo it first.',
    },
    denied: {
      title: 'You are not allowed to see the backups of this cluster',
      description:
        'Ask an administrator of this portal for the permission {{permission}} on this entity.',
      action: 'You need the permission {{permission}} on this cluster.',
      framed:
        'Another page shows the portal inside of it. Open the portal itself to do this.',
    },
    notConfigured: {
      title: 'This cluster is not set up for backups',
      description:
        'The portal has no configuration for the entity {{entityRef}}. An administrator adds it to the app-config of the backend:',
    },
    notBackedUp: 'This cluster cannot be backed up',
    ownerChange: {
      title: 'The owner was changed in the catalog',
      next: 'Since {{since}} it is',
      before: 'The rights of owners stay with',
      until: 'until {{time}}.',
      nobody: 'nobody',
    },
    silence: {
      title: 'The portal does not answer',
      withState:
        'What is shown here is from {{time}}. Trying again. A backup that this interrupts is begun again; a restore waits to be resumed or undone.',
      withoutState: 'Trying again.',
    },
    fault: {
      state: 'State',
      remedy: 'What to do',
      code: 'Code',
    },
    operation: {
      kind: {
        check: 'Check',
        backup: 'Backup',
        restore: 'Restore',
        verify: 'Verification',
      },
      status: {
        queued: 'queued',
        running: 'running',
        interrupted: 'interrupted',
        succeeded: 'succeeded',
        done: 'done',
        undoing: 'being undone',
        failed: 'failed',
        cancelled: 'cancelled',
        undone: 'undone',
      },
      title: '{{kind}} {{status}}',
      startedBy: 'Asked for by',
      attempt: 'attempt {{attempt}}',
      steps: 'Steps',
      stepDone: 'done',
      stepRunning: 'running',
      stepStopped: 'stopped here',
      waiting: 'Waiting for its turn.',
      progress: 'Bytes of this step',
      bytesOf: '{{done}} of {{total}}',
      rate: '{{rate}}/s',
      remaining: '{{duration}} left',
      log: 'Log',
      logEmpty: 'Nothing was logged.',
      announce: '{{kind}} {{status}}. {{step}}',
      announceWithPercent: '{{kind}} {{status}}. {{step}} {{percent}} %',
    },
    outcome: {
      backupDone: 'The backup is proven and stored.',
      restoreDone: 'The cluster is as it was in the backup.',
      verifyDone: 'What the stores gave was read to its end.',
      outage: 'Its API was away for {{duration}}.',
      cancelled: 'It was cancelled. Nothing half-done was left.',
      undone: 'The restore was taken back: the cluster is as it was before.',
    },
    findings: {
      refusal: 'refusal',
      reservation: 'reservation',
      ok: 'in order',
      allOk: 'Everything that was checked is in order.',
      okCount_one: '{{count}} thing in order',
      okCount_other: '{{count}} things in order',
    },
    interrupted: {
      at: 'It stands at: {{step}}.',
      undoable:
        'The cluster can still be put back as it was (undo), or the restore can be finished (resume).',
      onlyForward:
        'An API server may have run on the restored data. It can only be finished.',
      waits: 'Nothing else is done to this cluster until then.',
      needsIdentity: 'Resuming needs the age identity once more.',
      mayNeedIdentity:
        'The machines have not told yet how far it got. Where the API of the cluster is away and its machines are not configured, the archive tells how they are reached: give the age identity then.',
    },
    backups: {
      title: 'Backups',
      empty: 'No backups yet',
      emptyDescription: 'The first one appears here when it is stored.',
      time: 'Time',
      size: 'Size',
      revision: 'Revision',
      versions: 'Versions',
      kubernetes: 'Kubernetes {{version}}',
      etcd: 'etcd {{version}}',
      gdc: 'GDC {{version}}',
      reservations: 'Reservations',
      none: 'none',
      actions: 'Actions',
      beforeRestore: 'before a restore',
      kept: 'kept',
      older: 'Show older backups',
      details: 'Backup of {{time}}',
    },
    backup: {
      createdAt: 'Taken',
      expiresAt: 'Can be restored until',
      type: 'Type of cluster',
      managedBy: 'Managed by',
      size: 'Archive',
      snapshotSize: 'etcd snapshot',
      revision: 'Revision',
      versions: 'Versions',
      member: 'Member',
      nodes: 'Nodes',
      copies: 'Copies',
      key: 'Key in the stores',
      sha256: 'SHA-256',
      signer: 'Signed by',
      requestedBy: 'Asked for by',
      foundAt: 'Found in a store',
      reservations: 'Reservations',
      noReservations: 'There were no reservations when it was taken.',
    },
    withoutPortal: {
      title: 'Without the portal',
      description:
        'Run it where the archive, an identity that opens it and the command lie, and the machines can be reached. Everything else is in the',
      runbook: 'runbook of this cluster',
      copy: 'Copy the command',
      copied: 'Copied',
    },
    runbook: {
      action: 'Runbook',
      title: 'Runbook',
      description:
        'What to do when this portal is gone. Print it, or keep the file where the identities are kept: it has no secret in it, and is as of now.',
      back: 'Backups',
      save: 'Save as Markdown',
      print: 'Print',
    },
    choices: {
      title: 'Back up {{cluster}} with options',
      name: 'Name',
      nameDescription:
        'Letters, digits and . _ - instead of {{cluster}}_backup_TIMESTAMP; the ending is added.',
      stores: 'Stores',
      storesDescription: 'Where this backup goes, instead of all of them.',
      noStore: 'Choose one at least.',
      withoutQuorum: 'Even when etcd has lost its quorum',
      withoutQuorumDescription:
        'Then of the member with the latest data, running or stopped. It may lack the last writes, and says so.',
    },
    custody: {
      title: 'Custody',
      by: 'by',
      events: {
        created: 'Taken',
        found: 'Found in a store',
        verified: 'Read whole, and good',
        damaged: 'Found damaged',
        missing: 'Found missing',
        downloaded: 'Downloaded, encrypted',
        opened: 'Header given out, to open it with',
        compared: 'Compared with what is there',
        'put-back': 'Single objects put back',
        restoring: 'Restore begun',
        restored: 'Restored',
        held: 'Hold placed',
        released: 'Hold released',
        deleted: 'Removed by its rule',
      },
    },
    hold: {
      held: 'Kept by {{who}} since {{time}}: {{reason}}',
      notIn:
        'Not every store took it. Where the others are lost, nothing says that this backup is kept.',
      title: 'Keep the backup of {{time}}',
      description:
        'It is kept whatever a rule says, until somebody releases it. This is written into the stores, beside its copies.',
      reason: 'Why it is kept',
      reasonDescription:
        'Everybody who sees the backups of this cluster can read it.',
      submit: 'Keep',
    },
    prove: {
      action: 'Prove the identity',
      title: 'Prove that these backups can be opened',
      description:
        'The portal seals something for the recipients of these backups. This browser opens it with the identity, and sends back what was in it.',
      submit: 'Prove',
    },
    compare: {
      action: 'Compare',
      title: 'What is not as in the backup of {{time}}',
      description:
        'The archive is read from its first byte to its last, and compared with the objects that the cluster is managed by: its Cluster resource, its NodePools, its Secrets. Names are shown, values never. Nothing is changed.',
      submit: 'Compare',
      reading: 'Reading the whole archive…',
      nothing: 'Everything is as it is in the archive.',
      secrets: 'Secrets to put back',
      secretsDescription:
        'Those that you choose become what they were at the backup, unless somebody changes them meanwhile.',
      others: 'Shown, and put back by hand',
      missing: 'is missing',
      added: '{{name}} was added since',
      removed: '{{name}} was removed since',
      changed: '{{name}} was changed since',
      createMissing: 'Create everything that is missing',
      putBack: 'Put back',
      updatedNow: 'Put back',
      createdNow: 'Created',
      sameNow: 'Was as in the archive already',
      failedNow: 'Not put back',
    },
    copies: {
      of: '{{good}} of {{all}} copies',
      good: '{{store}}: good, read {{age}}',
      missing: '{{store}}: none, seen {{age}}',
      damaged: '{{store}}: damaged, seen {{age}}',
      unknown: '{{store}}: could not be asked {{age}}',
      lockedUntil: 'cannot be removed before {{time}}',
    },
    operations: {
      title: 'Recent operations',
      empty: 'Nothing has been done yet',
      what: 'What',
      outcome: 'Outcome',
      who: 'Who',
      when: 'When',
      duration: 'Duration',
    },
    related: {
      title: 'Related clusters',
      dependsOn: 'this cluster depends on it',
      dependencyOf: 'depends on this cluster',
      backedUp: 'last backed up {{age}}',
      never: 'never backed up',
      notConfigured: 'not set up for backups',
      notAllowed: 'not yours to see',
      unknown: 'not known',
    },
    identity: {
      label: 'age identity',
      description:
        'It is used in this browser only, is not sent, and is forgotten when this dialog closes.',
      choose: 'Choose a file',
      chosen: '{{name}} is chosen',
      remove: 'Use another identity',
      none: 'Give an identity: a line that begins with AGE-SECRET-KEY-1, or a file that has one.',
      unknown:
        'This is no age identity. An identity is a line that begins with AGE-SECRET-KEY-1.',
      encrypted:
        'This file is encrypted with a passphrase. Decrypt it first (age -d), then choose the result.',
      recipient:
        'This is a recipient: it closes archives and does not open them. An identity begins with AGE-SECRET-KEY-1.',
      insecurePage:
        'This page was not loaded over https, and browsers open keys on secure pages only. Open the portal over https.',
      noMatch:
        'This identity does not open this archive: it belongs to none of its recipients. Nothing was sent.',
      noRecipient:
        'Backups are not encrypted to this identity: it belongs to none of their recipients. Nothing was sent.',
      headerBroken:
        'The header of this archive is damaged. Try another backup, or have its store looked at.',
    },
    reason: {
      description: 'It is kept with this, for whoever looks at it later.',
      ofChoices: 'Why it has to be so',
      ofRestore: 'Why it is to be restored',
      needed: 'Why',
      optional: 'What you want to say about it',
    },
    override: {
      title: 'Override a refusal',
      label: 'Refusals that are not to stop this restore',
      description:
        'Each guards against harm. Choose one only when there is no other way.',
      'archive-expired':
        'The backup has expired: its certificates may have, too',
      'etcd-tool-cannot-bump':
        'A node cannot raise revisions: they go back, and whatever watches the cluster must be restarted',
      'clock-skew': 'The clocks of the machines do not agree',
      'gdc-job-running': 'A job of Google Distributed Cloud is at work',
    },
    request: {
      action: 'Request restore',
      shortAction: 'Request',
      actionFor: 'Request a restore of the backup of {{time}}',
      title: 'Request a restore of {{cluster}}',
      submit: 'Request the restore',
      sending: 'Requesting the restore, and having the cluster checked…',
      secondPerson: 'A restore of this cluster takes a second person',
      description:
        'Backup, cluster and choices are frozen as they are now, and the cluster is checked. When another owner has approved, you start it; the age identity is asked for then.',
      is: {
        pending: 'A restore waits for a second person',
        approved: 'A restore is approved, and can be started',
        rejected: 'A restore was rejected',
        withdrawn: 'A request for a restore was withdrawn',
        started: 'A restore was started',
        expired: 'A request for a restore has expired',
        void: 'A request for a restore is void',
      },
      voidTitle: 'Something is not as it was when this was requested',
      backup: 'Backup of',
      by: 'Requested by',
      why: 'Why',
      choices: 'Choices',
      leavesOut: 'without {{machines}}',
      overrides: 'overriding {{codes}}',
      approvedBy: 'Approved by',
      rejectedBy: 'Rejected by',
      emergency: 'alone, in an emergency',
      expires: 'Counts until',
      frozen: 'What exactly is restored, and onto what',
      resource: 'Cluster resource',
      server: 'API server',
      role: {
        'control-plane': 'control plane',
        worker: 'worker',
        jump: 'on the way',
      },
      checks: 'What the check found',
      checking: 'The cluster is being checked…',
      unchecked: 'The check has not ended: what it finds is approved, too.',
      ownApproval: 'You requested it: another person has to approve it.',
      othersStart: 'Only who requested it starts it.',
      withdraw: 'Withdraw',
      startAction: 'Start the restore',
      start:
        'The backup of {{time}} is put back as it was requested and approved. Everything that was changed since is lost.',
    },
    decide: {
      approve: 'Approve',
      approveTitle: 'Approve a restore of {{cluster}}',
      question:
        'You have read what the check found, and agree that {{cluster}} goes back to the backup of {{time}}.',
      alone: 'Approve alone',
      aloneTitle: 'Emergency: approve a restore of {{cluster}} alone',
      aloneWarning:
        'No second person looks at this. All owners of the cluster are told, and it is in the audit log as critical.',
      reject: 'Reject',
      rejectTitle: 'Reject a restore of {{cluster}}',
    },
    restore: {
      runsPortal:
        'The portal runs on this cluster, or needs it, and would stop with it. Restore it without the portal: cluster-backup restore.',
      title: 'Restore {{cluster}}',
      whatHappens: 'What will happen',
      outage:
        'The API of {{cluster}} is away for some seconds to minutes. What runs on it keeps running.',
      loss: 'Everything changed in the cluster since {{time}} ({{age}}) is lost.',
      kept: 'The data that is replaced is kept on the machines until the restore is accepted, or its time is over.',
      proof:
        'Everything is prepared and proven first. Until the control plane is stopped, nothing changes.',
      safety:
        'What is there now is backed up first, as far as an etcd member still answers.',
      expired:
        'This backup has expired: a restore of it is refused, unless that is overridden. expireAfterDays in the configuration says after how long.',
      gdcUnsupported:
        'A restore outside of bmctl is not a procedure that Google supports.',
      support: 'Help with a restore:',
      unencrypted:
        'This archive is not encrypted: no identity is needed to open it.',
      confirmation: 'Type {{cluster}} to confirm',
      mismatch: 'This is not the name of the cluster.',
      more: 'Lost machines and lost keys',
      withFiles: 'Put certificates, keys and manifests back on every node',
      withFilesDescription:
        'Without this they are put back where they were lost or replaced only. With it also across a replaced CA, and across an upgrade that ended half-way.',
      leaveOut: 'Dead control-plane machines',
      leaveOutDescription:
        'Names, separated by commas. By naming one you state that it is powered off and stays so; the restored cluster has no etcd member on it.',
      submit: 'Restore {{cluster}}',
      opening: 'Opening the archive’s header…',
      sending: 'Starting the restore…',
    },
    advice: {
      title: 'What is still there',
      asking: 'Looking at what is still there…',
      nothingToRestore: 'Nothing needs a restore',
      startApiServers: 'Only API servers are down',
      startMembers: 'Members are to be started, rather than restored',
      backUpSurvivor: 'The member that is left has later data than any backup',
      restoreBackup: 'A restore of the newest backup is what is left',
      backUp: 'Back up the survivor',
      goOn: 'The restore below can be started all the same.',
    },
    keptData: {
      title: 'Data of before a restore',
      description:
        'What restores replaced is kept on the machines, and can be backed up and restored by the command. Accepting a restore removes it, for good; else it is removed when its time is over.',
      of: 'Of the restore of {{time}}',
      size: '{{size}} on {{machines}}',
      until: 'kept until {{time}}',
      unread: '{{machine}} could not be looked at: {{message}}',
      accept: 'Accept the restore',
      acceptTitle: 'Accept the restore of {{time}}',
      question:
        'The data of before it ({{size}}) is removed from the machines. There is no way back to it then.',
      removing: 'Removing it from the machines…',
    },
    wayIn: {
      title: 'A way in',
      description:
        'A kubeconfig of the cluster’s own certificate authority, with every right and good for an hour. It is made for you, saved where your browser saves files, and kept nowhere else; the audit log says who has asked for one.',
      action: 'Get a kubeconfig',
      saved: 'Saved. It ends at {{time}}.',
    },
    managed: {
      title: 'User clusters that it manages',
      asking: 'Asking the cluster about its user clusters…',
      notKnown: 'What becomes of its user clusters is not known for certain',
      allSame_zero: 'It managed none at the backup, and manages none now.',
      allSame_one: 'The one that it manages is as it was at the backup.',
      allSame_other:
        'All {{count}} that it manages are as they were at the backup.',
      back: 'its spec goes back in time, to that of the backup.',
      forgotten: 'was created after the backup, and is forgotten.',
      returns: 'was deleted after the backup, and comes back.',
      unknown: 'is in the backup; how it is now is not known.',
    },
    resume: {
      title: 'Resume the restore of {{cluster}}',
      description:
        'The restore goes on where it stands, until the cluster is as it was in the backup.',
      submit: 'Resume',
    },
    undo: {
      title: 'Undo the restore of {{cluster}}',
      description:
        'Every machine is put back as it was before the restore began.',
      submit: 'Undo the restore',
      onlyForward:
        'An API server may have run on the restored data: it can only be finished.',
    },
  },
});
