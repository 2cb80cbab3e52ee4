'use strict';

// The IM protocol's vocabulary: constants, their names on the wire, the envelope, the error codes.

const WIRE_NAMES = {
  IMERROR: 'im_error',
  SSO_QRLOGIN: 'qrlogin',
  CHAT_TO: 'to',
  CHAT_TO_ACK: 'to_ack',
  CHAT_ONLINE: 'c_online',
  CHAT_MESSAGE: 'c_message',
  CHAT_MESSAGE_ACK: 'c_message_ack',
  CHAT_PULL_OFFLINE_MESSAGE: 'offline_message',
  CHAT_PULL_HISTORY_MESSAGE: 'history_message',
  CHAT_PULL_RECENT_CONVERSATION: 'recent_conversation',
  CHAT_PULL_READED_MESSAGE: 'readed_message',
  CHAT_TO_READED: 'to_reader',
  CHAT_TO_TYPING: 'to_typing',
  CHAT_TO_UNDO: 'to_undo',
  CHAT_GROUP_NOTICE: 'g_notice',
  CHAT_SYSTEM_NOTICE: 'sys_notice',
};

const ERRORS = {
  401: 'Re login',
  20001: 'Auth failed',
  20002: 'Parameter absent',
  20003: 'Send message failed',
  20004: 'you are sign in on other device',
};

function envelope(action, payload, { code = 0, meta = {} } = {}) {
  return { meta: { timestamp: Date.now(), ...meta }, code, data: { action, payload } };
}

function errorEnvelope(code) {
  return envelope('IMERROR', null, { code, meta: { msg: ERRORS[code] || 'error' } });
}

module.exports = { WIRE_NAMES, envelope, errorEnvelope };
