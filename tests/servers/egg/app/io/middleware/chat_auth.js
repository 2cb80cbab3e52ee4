'use strict';

const { refuse } = require('../../../lib/refuse');

const MOBILE = /Mobile|Android|iPhone/i;

module.exports = app => {
  const needsDeviceType = app.config.im['require-device-type'];

  return async function chatAuth(ctx, next) {
    const socket = ctx.socket;
    const { query, headers } = socket.handshake;
    const { token, userId, deviceType } = query;

    if (!token || !userId || (needsDeviceType && !deviceType)) return refuse(app, socket, 20002);
    if (token === 'bad' || token === 'expired') return refuse(app, socket, 20001);
    if (token === 'relogin') return refuse(app, socket, 401);

    const agent = deviceType || headers['user-agent'] || '';
    socket.im = { userId: String(userId), device: MOBILE.test(agent) ? 'MOBILE' : 'DESKTOP' };
    await next();
  };
};
