/*
 * What GLib would log.  It looks for a journal to tell it to, with calls that a process which
 * may open nothing is killed for: for the wrong reason, as it mostly tells of want of memory.
 */
#ifndef FS_CONTENT_GLIB_VOICE_H
#define FS_CONTENT_GLIB_VOICE_H

/* Once, before any reader: nothing is told; what GLib does not survive ends the process with
 * this status in place of a signal. */
void glib_voice_silence(int fatal_status);

#endif
