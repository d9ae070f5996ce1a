{{- define "foothold.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "foothold.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "foothold.selector" -}}
app.kubernetes.io/name: foothold
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- define "foothold.labels" -}}
{{ include "foothold.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* The port a component listens on, and its name: the gateway speaks HTTP, all others gRPC. */}}
{{- define "foothold.port" -}}
{{- if eq .name "gateway" }}8080{{ else }}50051{{ end -}}
{{- end -}}
{{- define "foothold.portName" -}}
{{- if eq .name "gateway" }}http{{ else }}grpc{{ end -}}
{{- end -}}

{{/* A component's values over the defaults, as JSON. */}}
{{- define "foothold.component" -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (default dict .values)) | toJson -}}
{{- end -}}

{{- define "foothold.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "foothold.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
The environment of one process: where it listens, where the others are, which files hold its secrets, and the
settings from values. Names are those of `foothold check-config`.
*/}}
{{- define "foothold.env" -}}
{{- $root := .root -}}
- name: FOOTHOLD_LISTEN
  value: "0.0.0.0:{{ include "foothold.port" . }}"
{{- range $peer, $_ := $root.Values.components }}
{{- if and (ne $peer "gateway") (ne $peer $.name) }}
- name: FOOTHOLD_{{ upper $peer }}_ADDRESS
  value: {{ printf "%s-%s:50051" (include "foothold.fullname" $root) $peer }}
{{- end }}
{{- end }}
- name: FOOTHOLD_VERIFYING_KEYS_FILE
  value: /run/secrets/foothold/verifying_keys.pem
{{- if eq .name "identity" }}
- name: FOOTHOLD_SIGNING_KEY_FILE
  value: /run/secrets/foothold/signing_key.pem
{{- else }}
- name: FOOTHOLD_COMPONENT_TOKEN_FILE
  value: /run/secrets/foothold/component.token
{{- end }}
{{- if eq .name "gateway" }}
- name: FOOTHOLD_COOKIE_SECRET_FILE
  value: /run/secrets/foothold/cookie_secret
{{- if $root.Values.secrets.webhook }}
- name: FOOTHOLD_WEBHOOK_SECRET_FILE
  value: /run/secrets/foothold/webhook_secret
- name: FOOTHOLD_WEBHOOK_TOKEN_FILE
  value: /run/secrets/foothold/webhook_token
{{- end }}
{{- else }}
- name: FOOTHOLD_DATABASE_URL_FILE
  value: /run/secrets/foothold/database_url
{{- end }}
{{- /* What follows from other values, unless the settings say otherwise. */}}
{{- $plain := dict }}
{{- if and (eq .name "gateway") $root.Values.ingress.enabled }}
{{- $scheme := ternary "https" "http" (not (empty $root.Values.ingress.tlsSecret)) }}
{{- $plain = dict "PUBLIC_URL" (printf "%s://%s" $scheme $root.Values.ingress.host) "TRUSTED_PROXIES" 1 }}
{{- end }}
{{- range $key, $value := mergeOverwrite $plain (deepCopy $root.Values.settings) (deepCopy .component.settings) }}
- name: FOOTHOLD_{{ $key }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{/* The secrets one process is given as files, and no other's. */}}
{{- define "foothold.secrets" -}}
{{- $secrets := .root.Values.secrets -}}
- secret:
    name: {{ $secrets.signing }}
    items:
      - {key: verifying_keys.pem, path: verifying_keys.pem}
      {{- if eq .name "identity" }}
      - {key: signing_key.pem, path: signing_key.pem}
      {{- end }}
{{- if ne .name "identity" }}
- secret:
    name: {{ $secrets.components }}
    items:
      - {key: component_{{ .name }}.token, path: component.token}
{{- end }}
{{- if eq .name "gateway" }}
- secret:
    name: {{ $secrets.gateway }}
    items:
      - {key: cookie_secret, path: cookie_secret}
{{- with $secrets.webhook }}
- secret:
    name: {{ . }}
    items:
      - {key: webhook_secret, path: webhook_secret}
      - {key: webhook.token, path: webhook_token}
{{- end }}
{{- else }}
- secret:
    name: {{ $secrets.databases }}
    items:
      - {key: {{ .name }}, path: database_url}
{{- end }}
{{- end -}}
