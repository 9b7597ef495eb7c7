export interface Config {
  clusterBackup?: {
    stores?: Array<{
      /** A bucket of S3, or of a store that speaks its protocol. */
      s3?: {
        bucket: string;
        /** The bucket's region. Required but where an endpoint is given. */
        region?: string;
        /** A folder in the bucket. Default: all of it. */
        prefix?: string;
        /** Where the store is, when it is not AWS's: `https://s3.example.com`. */
        endpoint?: string;
        /** Whether the bucket is named in the path of a URL and not in its host. Default false. */
        forcePathStyle?: boolean;
        /** The AWS account whose credentials the `aws` section has. Default its main account. */
        accountId?: string;
        /**
         * The store's own credentials, instead of an account's.
         * @visibility secret
         */
        accessKeyId?: string;
        /**
         * Belongs to accessKeyId.
         * @visibility secret
         */
        secretAccessKey?: string;
        /** Encryption by the store, besides the archive's own. Default: what the bucket does. */
        serverSideEncryption?: 'AES256' | 'aws:kms';
        /** The key for `aws:kms`. Default the account's key for S3. */
        kmsKeyId?: string;
        /** Nobody removes a file that was read back before the days are over. The bucket must have Object Lock. */
        objectLock?: {
          /** COMPLIANCE: nobody at all. GOVERNANCE: nobody but who is permitted to bypass it. */
          mode: 'COMPLIANCE' | 'GOVERNANCE';
          days: number;
        };
      };
    }>;
  };
}
