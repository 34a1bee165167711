{{- define "gameshelf.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels that never change: selectors are immutable. */}}
{{- define "gameshelf.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gameshelf.labels" -}}
{{ include "gameshelf.selector" . }}
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gameshelf.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "gameshelf.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "gameshelf.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* The enabled deployments with their defaults, as YAML: `include … | fromYaml`. */}}
{{- define "gameshelf.deployments" -}}
{{- range $name, $own := .Values.deployments }}
{{- if and $own $own.enabled }}
{{ $name }}:
  {{- toYaml (mergeOverwrite (deepCopy $.Values.defaults) $own) | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gameshelf.graceSeconds" -}}
{{- with .Values.stopping -}}
{{ add .preStopSeconds .drainSeconds .shutdownSeconds 2 .marginSeconds }}
{{- end -}}
{{- end -}}

{{/* The environment: `root`, and `settings` and `secrets` that have precedence over those of the chart. */}}
{{- define "gameshelf.env" -}}
{{- $root := .root -}}
{{- $own := dict
  "LIBRARY_SERVICE_HTTP_PORT" $root.Values.ports.http
  "LIBRARY_SERVICE_GRPC_PORT" $root.Values.ports.grpc
  "LIBRARY_SERVICE_METRICS_PORT" $root.Values.ports.metrics
  "LIBRARY_SERVICE_DRAIN_SECONDS" $root.Values.stopping.drainSeconds
  "LIBRARY_SERVICE_SHUTDOWN_SECONDS" $root.Values.stopping.shutdownSeconds
-}}
{{- if $root.Values.revision }}{{ $_ := set $own "LIBRARY_SERVICE_REVISION" $root.Values.revision }}{{ end -}}
{{- $settings := mergeOverwrite $own (deepCopy $root.Values.settings) (deepCopy (default dict .settings)) -}}
{{- $secrets := mergeOverwrite (deepCopy $root.Values.secrets) (deepCopy (default dict .secrets)) -}}
{{- range $name, $value := $settings }}
{{- if and (not (kindIs "invalid" $value)) (not (index $secrets $name)) }}
- name: {{ $name }}
  value: {{ if kindIs "float64" $value }}{{ if eq $value (floor $value) }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end }}
{{- range $name, $from := $secrets }}
{{- if $from }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $from.name }}, key: {{ $from.key }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gameshelf.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- range .Values.mounts }}
- {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "gameshelf.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- range .Values.mounts }}
- name: {{ .name }}
  {{- if .secret }}
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
  {{- else }}
  configMap: {name: {{ .configMap }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What every pod has. Kubernetes' own variables for services would be taken for misspelt settings. */}}
{{- define "gameshelf.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "gameshelf.container" -}}
image: {{ include "gameshelf.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}
