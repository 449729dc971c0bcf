// SPDX-License-Identifier: Apache-2.0
// Microsoft's own storage SDK at work on Azurite, for azurite_test:
//   node azurite_peer.js setup ENDPOINT ACCOUNT KEY     makes the containers private and public
//   node azurite_peer.js sas ACCOUNT KEY CONTAINER PERMISSIONS SECONDS   prints a container SAS
//   node azurite_peer.js get URL FILE                   downloads a blob and prints its type
'use strict';
const fs = require('fs');
const {
    BlobClient, BlobServiceClient, ContainerSASPermissions, SASProtocol, StorageSharedKeyCredential,
    generateBlobSASQueryParameters,
} = require('@azure/storage-blob');

async function setup(endpoint, account, key) {
    const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key));
    await service.createContainer('private');
    await service.createContainer('public', { access: 'blob' });
}

function sas(account, key, container, permissions, seconds) {
    console.log(generateBlobSASQueryParameters({
        containerName: container,
        permissions: ContainerSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + Number(seconds) * 1000),
        protocol: SASProtocol.Https,
    }, new StorageSharedKeyCredential(account, key)).toString());
}

async function get(url, file) {
    const client = new BlobClient(url);
    await client.downloadToFile(file);
    const facts = await client.getProperties();
    console.log(`${facts.blobType} ${facts.contentType} ${facts.contentLength}`);
}

const verbs = { setup, sas, get };
Promise.resolve(verbs[process.argv[2]](...process.argv.slice(3))).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
