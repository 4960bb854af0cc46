/**
 * ONNX Runtime's library for Linux notes what it is used for and sends it to its makers, unless the environment says
 * otherwise before it is loaded. Nothing leaves for a third party (docs/design.md), so every program of ours says so for
 * itself and for all that it starts. What a person has set stays.
 */
export function declineTelemetry(env: Record<string, string | undefined>): void {
  env["ORT_DISABLE_TELEMETRY"] ??= "1";
}
