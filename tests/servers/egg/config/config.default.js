'use strict';

const path = require('node:path');

module.exports = () => {
  const options = JSON.parse(process.env.IM_EGG_OPTIONS);
  const { scratch } = options;
  const [host, port] = (options.redis || '').split(':');

  return {
    keys: 'im-egg-test',
    im: options,
    rundir: path.join(scratch, 'run'),
    logger: { dir: path.join(scratch, 'logs'), consoleLevel: 'WARN', disableConsoleAfterReady: false },
    security: { csrf: { ignore: '/control/' } },
    bodyParser: { jsonLimit: '8mb' },
    io: {
      // The nodes of a cluster tell one another what is for a room.
      ...(options.redis && { redis: { host, port: Number(port) } }),
      init: {
        path: options.path,
        transports: options.transports.split(','),
        pingInterval: options['ping-interval'],
        pingTimeout: options['ping-timeout'],
        maxHttpBufferSize: options['max-payload'],
      },
      namespace: {
        '/sso': { connectionMiddleware: ['ssoAuth'], packetMiddleware: ['record'] },
        '/chat': { connectionMiddleware: ['chatAuth'], packetMiddleware: ['record'] },
      },
    },
  };
};
