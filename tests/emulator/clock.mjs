// The clock that a chip counts by: nanoseconds since its reset, and alarms in order. rp2040js' own does not export.
class Alarm {
  constructor(clock, callback) {
    this.clock = clock;
    this.callback = callback;
    this.nanos = 0;
    this.next = null;
    this.scheduled = false;
  }

  schedule(nanos) {
    this.cancel();
    const { clock } = this;
    if (clock.stopped) return;
    this.nanos = clock.nanos + nanos;
    this.scheduled = true;
    let before = null;
    let after = clock.nextAlarm;
    while (after && after.nanos <= this.nanos) [before, after] = [after, after.next];
    this.next = after;
    if (before) before.next = this;
    else clock.nextAlarm = this;
  }

  cancel() {
    if (!this.scheduled) return;
    this.scheduled = false;
    let before = null;
    let alarm = this.clock.nextAlarm;
    while (alarm !== this) [before, alarm] = [alarm, alarm.next];
    if (before) before.next = this.next;
    else this.clock.nextAlarm = this.next;
  }
}

export class Clock {
  constructor() {
    this.nanos = 0;
    this.nextAlarm = null;
    this.stopped = false;
  }

  // The chip ends here: no alarm goes off any more.
  stop() {
    this.stopped = true;
    for (let alarm = this.nextAlarm; alarm; alarm = alarm.next) alarm.scheduled = false;
    this.nextAlarm = null;
  }

  get micros() {
    return this.nanos / 1000;
  }

  createAlarm(callback) {
    return new Alarm(this, callback);
  }

  tick(nanos) {
    const target = this.nanos + nanos;
    for (let alarm = this.nextAlarm; alarm && alarm.nanos <= target; alarm = this.nextAlarm) {
      this.nextAlarm = alarm.next;
      alarm.scheduled = false;
      this.nanos = Math.max(this.nanos, alarm.nanos);
      alarm.callback();
    }
    this.nanos = Math.max(this.nanos, target);
  }

  get nanosToNextAlarm() {
    return this.nextAlarm ? this.nextAlarm.nanos - this.nanos : 0;
  }
}
