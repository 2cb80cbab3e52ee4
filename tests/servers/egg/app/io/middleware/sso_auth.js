'use strict';

const { refuse } = require('../../../lib/refuse');

module.exports = app => {
  return async function ssoAuth(ctx, next) {
    const socket = ctx.socket;
    const { device_id: deviceId } = socket.handshake.query;
    if (!deviceId) return refuse(app, socket, 20002);
    socket.im = { deviceId: String(deviceId) };
    await next();
  };
};
