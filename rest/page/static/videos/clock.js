/** Times in a video. */

/** Seconds as people read them: 1:23, 1:02:03. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** How far a video is, in a few words. */
export function progressOf(video) {
  if (video.state === "failed") return "failed";
  if (video.state === "done") return clock(video.reached);
  if (!video.seconds) return video.reached ? `at ${clock(video.reached)}` : "waiting";
  return `${Math.floor((100 * video.reached) / video.seconds)}% of ${clock(video.seconds)}`;
}
